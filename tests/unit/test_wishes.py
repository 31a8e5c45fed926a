"""What a fit leaves out of print, and the cells beside which it is shown to be impossible."""

from examples.june_2017.fitting import Key, Wishes


def key(code: str) -> Key:
    return ("block", code, "2017-06")


def test_what_is_left_out_is_shown_impossible_beside_the_fewest_that_are_had() -> None:
    wishes = Wishes()
    one, two, three = (wishes.model.integer(0, 10) for _ in range(3))
    wishes.equals(key("one"), one, 4)
    wishes.equals(key("three"), three, 1)
    wishes.equals(key("two"), two, 2)
    wishes.equals(key("both"), one + two, 7)
    wishes.equals(key("too many"), one, 11)
    assert wishes.solve()[:3] == [4, 2, 1]
    assert wishes.left_out.keys() == {key("both"), key("too many")}
    assert wishes.conflict(key("both")) == [key("one"), key("two")]
    assert wishes.conflict(key("too many")) == []


def test_of_what_is_had_nothing_is_shown() -> None:
    wishes = Wishes()
    part, whole = wishes.model.integer(0, 10), wishes.model.integer(1, 10)
    wishes.share(key("share"), part, whole, 333)
    wishes.solve()
    assert not wishes.left_out
    assert wishes.conflict(key("share")) is None
