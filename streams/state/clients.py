"""What every process builds from its settings: rules and the Redis client."""

from redis.asyncio import Redis

from processors.rules import Rules
from schemas.areas import load_areas
from schemas.catalogue import load_catalogue
from schemas.settings import Settings
from schemas.standards import load_standards


def load_rules(settings: Settings) -> Rules:
    """The catalogue, areas and standards of the settings. Raises as their loaders do."""
    catalogue = load_catalogue(settings.catalogue_file)
    standards = load_standards(catalogue, settings.standards_file)
    return Rules(catalogue, load_areas(settings.areas_file), standards)


def connect_redis(settings: Settings) -> Redis:
    """A client of the settings' Redis; it connects when first used."""
    return Redis.from_url(settings.redis_url, socket_timeout=30, socket_connect_timeout=5)
