import pytest

from transforms.settings import PSEUDONYM_KEYS, STREAM, Settings, SettingsError

HEX = "0f" * 16
TEXT = "a key of some words"


@pytest.mark.parametrize(
    ("keys", "read"),
    [
        (f"k1:{HEX}", {"k1": bytes.fromhex(HEX)}),
        (f"k1:{HEX.upper()}", {"k1": bytes.fromhex(HEX)}),
        (f"k1:{TEXT}", {"k1": TEXT.encode()}),
        (f"k1:{HEX}0", {"k1": f"{HEX}0".encode()}),
        (f"k2:{HEX}, k-1_old:{TEXT}", {"k2": bytes.fromhex(HEX), "k-1_old": TEXT.encode()}),
        (f"0123456789abcdef:{HEX}", {"0123456789abcdef": bytes.fromhex(HEX)}),
    ],
)
def test_keys_are_read_with_the_current_one_first(keys: str, read: dict[str, bytes]) -> None:
    settings = Settings.from_environ({STREAM: "web", PSEUDONYM_KEYS: keys})
    assert list(settings.keys().items()) == list(read.items())
    assert Settings.from_environ(settings.to_environ()) == settings


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("", "no key id"),
        (HEX, "no key id"),
        (f":{HEX}", "no key id"),
        (f"-k:{HEX}", "no key id"),
        (f"K1:{HEX}", "no key id"),
        (f"k.1:{HEX}", "no key id"),
        (f"0123456789abcdefg:{HEX}", "no key id"),
        ("k1:short", "shorter than 16"),
        ("k1:{{resolve:secretsmanager:penstock/key}}", "not resolved"),
        (f"k1:{HEX},k1:{TEXT}", "repeats a key id"),
    ],
)
def test_a_wrong_key_is_named_by_its_place_and_never_quoted(keys: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words) as told:
        Settings.from_environ({STREAM: "web", PSEUDONYM_KEYS: keys})
    assert PSEUDONYM_KEYS in str(told.value)
    assert HEX not in str(told.value)
    assert "short," not in str(told.value)


def test_a_stream_that_nobody_declares_is_answered_with_those_that_are() -> None:
    with pytest.raises(SettingsError, match="set it to one of: web"):
        Settings.from_environ({STREAM: "nosuch", PSEUDONYM_KEYS: f"k1:{HEX}"}).stream_among({"web": 1})
