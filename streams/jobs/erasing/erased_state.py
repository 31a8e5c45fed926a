"""What the state in Redis has of children, beside what a rebuild makes anew: taken out of it."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping
from datetime import date
from typing import Any

from redis.asyncio import Redis

from processors.days.calendar import day_number
from processors.record.record import decode_record
from processors.record.retention import is_over
from processors.rules import Rules
from schemas.alerts import CaseChange
from schemas.connection_settings import Brokers
from streams import keys
from streams.jobs.belonging import Belonging
from streams.kafka.batches import TP
from streams.kafka.decided import Decision, decisions_of, write
from streams.kafka.logreading import LogReader
from streams.kafka.rewriting import RewrittenTopic
from streams.state.fence import fenced
from streams.state.integrity import NOTE
from streams.state.open_alerts import parsed
from streams.state.quarantine import KIND, quarantined_in, queue_quarantined
from streams.state.reading import known_shards
from streams.state.sources import MARK, Mark, source_fields
from streams.state.store import Head, OtherLayout, ShardStore, stored_offsets


class ErasedState:
    """Takes children out of a deployment's state. Raises redis.RedisError."""

    def __init__(
        self,
        redis: Redis,
        deployment: str,
        rules: Rules,
        children: Collection[str],
        alerts: set[str],
    ) -> None:
        self._redis: Any = redis
        self._deployment, self._rules = deployment, rules
        self._children, self._alerts = frozenset(children), alerts
        self._named = self._theirs = Belonging(children, set())

    async def _stores(self) -> list[ShardStore]:
        return [store for _, store in await self._shards()]

    async def _shards(self) -> list[tuple[TP, ShardStore]]:
        shards = await known_shards(self._redis, self._deployment)
        return [(it, ShardStore(self._redis, self._deployment, it, self._rules)) for it in shards]

    async def offsets(self) -> dict[TP, int]:
        """Where the state stands in each partition."""
        found = {shard: await store.head(any_layout=True) for shard, store in await self._shards()}
        return stored_offsets({shard: head for shard, head in found.items() if head})

    async def over_before(self, day: date) -> list[str]:
        """Everyone of whom all is over since before a day (processors.record.retention)."""
        before, found = day_number(day), set[str]()
        for store in await self._stores():
            head = await store.head()
            if head is None:
                continue
            async for child, stored in store.all_records(head):
                if is_over(decode_record(stored, lambda _: b"").events, before):
                    found.add(child)
        return sorted(found)

    async def find(self) -> bool:
        """Whether anything is known of the children; the ids of their alerts are added."""
        found = False
        for store in await self._stores():
            head = await store.head(any_layout=True)
            known = await self._redis.hmget(
                store.key((head or Head()).generation, "records"), list(self._children)
            )
            told = await self._redis.hmget(store.alerts_key("told"), list(self._children))
            opened = await self._redis.hgetall(store.alerts_key("open"))
            theirs = {name.decode() for name, text in opened.items() if self._is_theirs(text)}
            self._alerts |= theirs
            found = found or bool(theirs) or any(it is not None for it in (*known, *told))
        return found

    def _is_theirs(self, text: bytes) -> bool:
        change = parsed(text)
        return isinstance(change, CaseChange) and change.child in self._children

    async def follow(
        self,
        brokers: Brokers,
        reader: LogReader,
        cluster: str,
        topics: Mapping[str, RewrittenTopic],
    ) -> None:
        """Have the state know the topics that were written anew for those that it was made from.

        What it was made from is at the offsets where it was, so that it goes on from there. Where
        the last message that it took in is gone, the one before it is not looked at again until
        more is.
        """
        for shard, store in await self._shards():
            head = await store.head(any_layout=True)
            if head is None:
                continue
            fields: dict[str, str | int] = {}
            gone: list[str] = []
            for topic, source in head.sources.items():
                it = topics.get(topic)
                if it is None or source.log != f"{cluster}/{it.before}":
                    continue
                tp = TP(topic, shard.partition)
                if source.mark:
                    found = (await reader.first_records({tp: source.mark.offset})).get(tp)
                    if found is None or Mark.of(found) != source.mark:
                        gone.append(f"{MARK}{topic}")
                        source = source._replace(mark=None)
                fields |= source_fields({topic: source._replace(log=f"{cluster}/{it.after}")})
            orders = await quarantined_in(self._redis, store)
            async with fenced(self._redis, store.head_key) as pipe:
                pipe.multi()
                if gone:
                    pipe.hdel(store.head_key, *gone)
                if fields:
                    pipe.hset(store.head_key, mapping=fields)
                for order in orders:
                    it = topics.get(order.tp.topic)
                    if it is not None and order.log == f"{cluster}/{it.before}":
                        followed = order._replace(log=f"{cluster}/{it.after}")
                        queue_quarantined(pipe, store, followed)
        await self._follow_orders(brokers, cluster, topics)

    async def _follow_orders(
        self, brokers: Brokers, cluster: str, topics: Mapping[str, RewrittenTopic]
    ) -> None:
        """The same for what the log says of messages that are to be passed over."""
        changed: list[Decision] = []
        for it in await decisions_of(brokers, self._deployment, KIND):
            said = json.loads(it.text or "{}")
            topic = topics.get(it.number.partition(":")[0])
            if topic is not None and said.get("log") == f"{cluster}/{topic.before}":
                said["log"] = f"{cluster}/{topic.after}"
                changed.append(it._replace(text=json.dumps(said)))
        if changed:
            async for _ in write(brokers, self._deployment, changed):
                pass

    async def forget(self) -> None:
        """Forget their alerts, and what receivers were told, or are to be told, of them."""
        # Alerts have ids of their own, under which much of them is kept.
        self._theirs = Belonging({*self._children, *self._alerts}, set())
        for store in await self._stores():
            await self._forget_alerts(store)
        prefix = keys.of_deployment(self._deployment)
        async for key in self._redis.scan_iter(match=f"{prefix}:*", count=1_000):
            await self._forget_in(key)

    async def _forget_alerts(self, store: ShardStore) -> None:
        told, opened, outbox = (store.alerts_key(it) for it in ("told", "open", "outbox"))
        head = await store.head(any_layout=True)
        async with fenced(self._redis, store.head_key) as pipe:
            changes = await pipe.hgetall(opened)
            waiting = await pipe.xrange(outbox)
            pipe.multi()
            pipe.hdel(told, *self._children)
            for child in self._children:
                pipe.delete(store.alerts_key(f"told:{child}"))
            theirs = [name for name, text in changes.items() if self._is_theirs(text)]
            left = [text for name, text in changes.items() if name not in theirs]
            if theirs:
                pipe.hdel(opened, *theirs)
                pipe.delete(store.alerts_key("counts"))
                if counts := _counts(left):
                    pipe.hset(store.alerts_key("counts"), mapping=counts)
            entries = [at for at, it in waiting if self._is_theirs(it.get(b"change", b""))]
            if entries:
                pipe.xdel(outbox, *entries)
            if head is not None:
                pipe.eval(NOTE, 2, store.head_key, told)

    async def _forget_in(self, key: bytes) -> None:
        """Take what is about them out of a key of the deployment as a whole."""
        kind = (await self._redis.type(key)).decode()
        if kind == "hash":
            async for name, text in self._redis.hscan_iter(key, count=1_000):
                if self._is_about(key, name) or self._is_about(key, text):
                    await self._redis.hdel(key, name)
        elif kind == "list":
            await self._forget_pending(key)
        elif kind == "zset":
            async for name, _ in self._redis.zscan_iter(key, count=1_000):
                if self._theirs.is_named(name):
                    await self._redis.zrem(key, name)

    def _is_about(self, key: bytes, text: bytes) -> bool:
        """Whether it is about them alone: a silence may be about alerts of others too."""
        if not key.endswith(b":silences"):
            return self._theirs.is_named(text)
        try:
            about = json.loads(text).get("alerts")
        except (ValueError, AttributeError):
            return False
        return bool(about) and self._alerts.issuperset(about)

    async def _forget_pending(self, key: bytes) -> None:
        """Take their alerts out of messages that are still to go out."""
        base = key.removesuffix(b":pending")
        for text in await self._redis.lrange(key, 0, -1):
            if not self._theirs.is_named(text):
                continue
            message = json.loads(text)
            items = message.get("items", ())
            left = [it for it in items if not self._theirs.is_named(json.dumps(it).encode())]
            async with self._redis.pipeline(transaction=True) as pipe:
                if left:
                    changed = json.dumps({**message, "items": left})
                    pipe.linsert(key, "BEFORE", text, changed)
                pipe.lrem(key, 1, text)
                pipe.hincrby(base, "waiting", len(left) - max(1, len(items)))
                await pipe.execute()

    async def named(self) -> AsyncIterator[str]:
        """The keys of the state that name one of the children."""
        prefixes = [keys.of_deployment(self._deployment)]
        stores = await self._stores()
        for store in stores:
            async for key in self._named_in_records(store):
                yield key
        prefixes += [store.head_key.removesuffix(":head") for store in stores]
        for prefix in prefixes:
            async for key in self._redis.scan_iter(match=f"{prefix}:*", count=1_000):
                async for part in _parts_of(self._redis, key):
                    if self._named.is_named(part):
                        yield key.decode()
                        break

    async def _named_in_records(self, store: ShardStore) -> AsyncIterator[str]:
        """The key of records that name one of the children, which are packed there."""
        try:
            head = await store.head() or Head()
        except OtherLayout:
            return  # a rebuild is due, which makes records anew
        async for _, record in store.all_records(head):
            if self._named.is_named(record):
                yield store.key(head.generation, "records")
                return


async def forget_erased(redis: Redis, deployment: str, rules: Rules) -> int:
    """Forget again whom the rules know for erased, and of whom nothing came since; how many.

    After a rebuild, which leaves what was told of alerts as it is, also in a copy from before.
    """
    client: Any = redis
    children, alerts = set[str](), set[str]()
    for shard in await known_shards(redis, deployment):
        store = ShardStore(redis, deployment, shard, rules)
        head = await store.head(any_layout=True) or Head()
        names = {it.decode() for it in await client.hkeys(store.alerts_key("told"))}
        opened = map(parsed, await client.hvals(store.alerts_key("open")))
        changes = [it for it in opened if isinstance(it, CaseChange)]
        found = sorted(filter(rules.erased.was_erased, names | {it.child for it in changes}))
        records = store.key(head.generation, "records")
        gone = {it for it in found if not await client.hexists(records, it)}
        children |= gone
        alerts |= {it.alert for it in changes if it.child in gone}
    if children:
        await ErasedState(redis, deployment, rules, children, alerts).forget()
    return len(children)


def _counts(changes: Collection[bytes]) -> dict[str, int]:
    """How many alerts are active, as they are counted beside them."""
    known = [it for it in map(parsed, changes) if it is not None]
    return dict(Counter(f"{it.standard} {it.state}" for it in known))


async def _parts_of(redis: Any, key: bytes) -> AsyncIterator[bytes]:
    """All that a key has in it, and its name."""
    yield key
    kind = (await redis.type(key)).decode()
    if kind == "string":
        yield await redis.get(key) or b""
    elif kind == "hash":
        async for name, text in redis.hscan_iter(key, count=1_000):
            yield name
            yield text
    elif kind == "list":
        for text in await redis.lrange(key, 0, -1):
            yield text
    elif kind == "set":
        async for name in redis.sscan_iter(key, count=1_000):
            yield name
    elif kind == "zset":
        async for name, _ in redis.zscan_iter(key, count=1_000):
            yield name
    elif kind == "stream":
        for _, fields in await redis.xrange(key):
            for text in fields.values():
                yield text
