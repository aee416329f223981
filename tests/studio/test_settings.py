"""What the operator decides, and that no key shows anywhere."""

from __future__ import annotations

import re
import tomllib
import traceback
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling import TextToVideo
from kling.auth import ApiKey, KeyPair
from kling.catalog import catalog
from kling.client import SINGAPORE
from kling.studio.connection import connect
from kling.studio.settings import NAMES, Settings, SettingsError, load
from tests.kling.loopback import Loopback, reply, task

KEY = "sk-very-secret-0123456789"
PAIR = {"KLINGAI_ACCESS_KEY": "access-1234", "KLINGAI_SECRET_KEY": KEY}


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    return tmp_path / "secrets.toml"


def loaded(env: dict[str, str], secrets: Path) -> Settings:
    return load(env, secrets, root=Path("/srv/studio"))


def stored(secrets: Path, **values: str) -> None:
    lines = "".join(f'{name} = "{value}"\n' for name, value in values.items())
    secrets.write_text(f"[kling]\n{lines}", encoding="utf-8")


def test_without_anything_the_sandbox_is_used(secrets):
    assert loaded({}, secrets) == Settings(data_dir=Path("/srv/studio/data"))
    assert loaded({}, secrets).account == "sandbox"


def test_everything_can_be_set_by_the_environment(secrets):
    env = {
        "KLINGAI_API_KEY": f" {KEY}\n",
        "KLINGAI_BASE_URL": "https://api.kling.test/",
        "STUDIO_VIDEO_HOSTS": "cdn.kling.test, .files.test",
        "STUDIO_UNIT_PRICE": "0.126",
        "STUDIO_CURRENCY": "cny",
        "STUDIO_DATA_DIR": "/var/clips",
        "STUDIO_CALLBACK_URL": "https://studio.test/callback?x=1",
    }
    settings = loaded(env, secrets)
    assert settings.credentials == ApiKey(KEY)
    assert (settings.base_url, settings.data_dir) == ("https://api.kling.test", Path("/var/clips"))
    assert settings.callback_url == "https://studio.test/callback?x=1"
    assert settings.video_hosts == {"cdn.kling.test", ".files.test"}
    assert (settings.unit_price, settings.currency) == (Decimal("0.126"), "CNY")


def test_everything_can_be_set_by_the_file(secrets):
    stored(secrets, **PAIR, STUDIO_DATA_DIR="clips", SOMETHING_ELSE="1")
    settings = loaded({}, secrets)
    assert settings.credentials == KeyPair("access-1234", KEY)
    assert settings.base_url == SINGAPORE
    assert settings.data_dir == Path("/srv/studio/clips")


def test_the_environment_comes_before_the_file(secrets):
    stored(secrets, KLINGAI_API_KEY="of-the-file")
    assert loaded({"KLINGAI_API_KEY": "of-the-environment"}, secrets).credentials == ApiKey(
        "of-the-environment"
    )
    assert loaded(PAIR, secrets).credentials == KeyPair("access-1234", KEY)
    stored(secrets, **PAIR)
    assert loaded({"KLINGAI_API_KEY": "other"}, secrets).credentials == ApiKey("other")
    assert loaded({"KLINGAI_ACCESS_KEY": "other"}, secrets).credentials == KeyPair("other", KEY)


def test_a_variable_that_is_set_to_blanks_is_not_set(secrets):
    stored(secrets, KLINGAI_API_KEY=KEY)
    assert loaded({"KLINGAI_API_KEY": "  "}, secrets).credentials == ApiKey(KEY)


@pytest.mark.parametrize("name", PAIR)
def test_half_a_key_pair_names_the_other_half_and_never_falls_back_to_the_sandbox(secrets, name):
    [missing] = PAIR.keys() - {name}
    with pytest.raises(SettingsError, match=f"{missing} is missing"):
        loaded({name: PAIR[name]}, secrets)


@pytest.mark.parametrize("name", ["KLINGAI_BASE_URL", "STUDIO_CALLBACK_URL"])
@pytest.mark.parametrize(
    "url",
    [
        "kling.test",
        "ftp://kling.test",
        "https://",
        "https://[",
        "https://h:x",
        "https://h:0",
        "https://u:pw@h",
        "//h",
    ],
)
def test_what_is_no_address_is_refused_by_the_name_of_its_setting(secrets, name, url):
    with pytest.raises(SettingsError, match=name):
        loaded({name: url}, secrets)


@pytest.mark.parametrize("name", ["KLINGAI_API_KEY", *PAIR])
@pytest.mark.parametrize("junk", ["ключ", "two\nlines", "nul\0", "\u200bkey"])
def test_a_key_with_a_character_that_no_key_has_is_refused_and_not_shown(secrets, name, junk):
    with pytest.raises(SettingsError, match=name) as caught:
        loaded(PAIR | {name: KEY + junk + KEY}, secrets)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        f"[kling]\nKLINGAI_API_KEY = {KEY}\n",
        f'[kling]\nKLINGAI_API_KEY = "{KEY}',
        f"KLINGAI_API_KEY: {KEY}",
        f'kling = "{KEY}"',
        f'[[kling]]\nKLINGAI_API_KEY = "{KEY}"',
    ],
)
def test_a_file_that_cannot_be_read_is_named_and_the_key_in_it_is_not_shown(secrets, text):
    secrets.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"secrets\.toml") as caught:
        loaded({}, secrets)
    assert KEY not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__cause__ is None


def test_a_file_in_another_encoding_is_named(secrets):
    secrets.write_bytes("[kling]\nKLINGAI_API_KEY = 'schlüssel'".encode("latin-1"))
    with pytest.raises(SettingsError, match="cannot be read as TOML"):
        loaded({}, secrets)


@pytest.mark.parametrize(
    "text",
    [
        f'\ufeff[kling]\nKLINGAI_API_KEY = "{KEY}"\n',
        f'KLINGAI_API_KEY = "{KEY}"\n',
        f'KLINGAI_API_KEY = "{KEY}"\n[kling]\nSTUDIO_DATA_DIR = "x"\n',
        f'[Kling]\nklingai_api_key = "{KEY}"\n',
        f'KLINGAI_API_KEY = "other"\n[kling]\nKLINGAI_API_KEY = "Bearer {KEY}"\n',
    ],
)
def test_a_file_is_read_however_its_section_is_written(secrets, text):
    secrets.write_text(text, encoding="utf-8")
    assert loaded({}, secrets).credentials == ApiKey(KEY)


def test_secrets_stay_out_of_repr(secrets):
    for env in (PAIR, {"KLINGAI_API_KEY": KEY}):
        settings = loaded(env, secrets)
        assert KEY not in repr(settings) + str(settings) + settings.account
        assert KEY not in repr(settings.credentials)


def test_each_key_and_each_host_is_an_account_of_its_own_that_gives_nothing_away(secrets):
    variants = [
        {},
        {"KLINGAI_API_KEY": KEY},
        {"KLINGAI_API_KEY": KEY + "1"},
        {"KLINGAI_API_KEY": KEY, "KLINGAI_BASE_URL": "https://api-beijing.klingai.com"},
        PAIR,
    ]
    accounts = [loaded(env, secrets).account for env in variants]
    assert len(set(accounts)) == len(accounts)
    assert accounts[1].startswith("api-singapore.klingai.com#")


def test_the_case_of_a_host_makes_no_other_account(secrets):
    env = {"KLINGAI_API_KEY": KEY}
    shouted = env | {"KLINGAI_BASE_URL": SINGAPORE.upper().replace("HTTPS", "https")}
    assert loaded(shouted, secrets).account == loaded(env, secrets).account


def test_every_setting_has_a_name_of_the_api_or_of_the_studio():
    assert all(name.startswith(("KLINGAI_", "STUDIO_")) for name in NAMES)


# -- what is copied with a value -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "around",
    [
        *(
            "{}",
            " {} ",
            '"{}"',
            "'{}'",
            "`{}`",
            "“{}”",
            '" {} "',
            "{} # the team's key",
            '"{}" # of 2026',
            "'\"{}\"'",
        ),
        *("KLINGAI_API_KEY={}", 'export KLINGAI_API_KEY="{}"', "Bearer {}", "bearer  {}", '"Bearer {}"'),
        *("Authorization: Bearer {}", "Bearer {} # new", "{}\t# new", "{}\n# new"),
        *("\ufeff{}", "{}\u200b", "\u00a0{}\r\n", '"\u200b{}"', "'''{}'''", "Bearer: {}"),
        *("KLINGAI_API_KEY: {}", "set KLINGAI_API_KEY={}", '$env:KLINGAI_API_KEY = "{}"'),
    ],
)
def test_what_was_copied_with_a_key_is_taken_off(secrets, around):
    assert loaded({"KLINGAI_API_KEY": around.format(KEY)}, secrets).credentials == ApiKey(KEY)


@pytest.mark.parametrize("name", PAIR)
@pytest.mark.parametrize("around", ['"{}"', "{} # new", "{} "])
def test_what_was_copied_with_a_key_of_a_pair_is_taken_off(secrets, name, around):
    env = PAIR | {name: around.format(PAIR[name])}
    assert loaded(env, secrets).credentials == KeyPair("access-1234", KEY)


@pytest.mark.parametrize("name", ["KLINGAI_API_KEY", "KLINGAI_ACCESS_KEY"])
@pytest.mark.parametrize("text", ["access-1234|{}", ' "access-1234 | {}" # both', "Bearer access-1234|{}"])
def test_two_keys_in_one_setting_are_a_pair(secrets, name, text):
    assert loaded({name: text.format(KEY)}, secrets).credentials == KeyPair("access-1234", KEY)


@pytest.mark.parametrize("name", ["KLINGAI_API_KEY", *PAIR])
@pytest.mark.parametrize(
    "text", ['"{}', "{}'", "{}#new", "a {}", "{},", "{}; x", "<{}>", "a|b|{}", "x\\{}", "“{}"]
)
def test_a_key_that_cannot_be_meant_is_refused_and_not_shown(secrets, name, text):
    with pytest.raises(SettingsError, match=f"{name} holds a character that no key has") as caught:
        loaded(PAIR | {name: text.format(KEY)}, secrets)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("name", ["KLINGAI_API_KEY", *PAIR])
@pytest.mark.parametrize("text", ["$KLINGAI_API_KEY", "${KEY}", "%KEY%", "your-api-key", "xxxx", "changeme"])
def test_a_variable_or_the_placeholder_of_an_example_is_no_key(secrets, name, text):
    with pytest.raises(SettingsError, match=f"{name} is .*give the key itself"):
        loaded(PAIR | {name: text}, secrets)


@pytest.mark.parametrize("text", ["|{}", "{}|", " | {}"])
def test_half_of_two_keys_in_one_setting_is_refused(secrets, text):
    with pytest.raises(SettingsError, match="KLINGAI_ACCESS_KEY and KLINGAI_SECRET_KEY") as caught:
        loaded({"KLINGAI_API_KEY": text.format(KEY)}, secrets)
    assert KEY not in str(caught.value)


def test_two_keys_in_one_setting_beside_another_key_are_refused(secrets):
    with pytest.raises(SettingsError, match="KLINGAI_API_KEY holds"):
        loaded(PAIR | {"KLINGAI_API_KEY": f"access|{KEY}"}, secrets)


def test_a_setting_that_is_only_a_comment_is_not_set(secrets):
    assert loaded({"KLINGAI_API_KEY": "# none yet"}, secrets).credentials is None


@given(st.text(max_size=20), st.sampled_from(["KLINGAI_API_KEY", *PAIR]))
def test_no_key_is_ever_shown_whatever_stands_around_it(text, name):
    for value in (KEY + text, text + KEY, f"{KEY}|{text}"):
        try:
            settings = load(PAIR | {name: value}, Path("/no/such/file"), root=Path("/srv"))
        except SettingsError as error:
            assert KEY not in "".join(traceback.format_exception(error))  # noqa: PT017 - it may be none
        else:
            assert KEY not in repr(settings) + settings.account


@given(st.text(max_size=20), st.sampled_from(NAMES))
def test_whatever_is_set_it_is_used_or_refused_by_name(text, name):
    try:
        settings = load({name: text}, Path("/no/such/file"), root=Path("/srv"))
    except SettingsError as error:
        assert "STUDIO_" in str(error) or "KLINGAI_" in str(error)  # noqa: PT017 - it may be none
    else:
        assert settings.base_url.startswith(("https://", "http://"))
        assert settings.unit_price > 0


# -- the base URL --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rest",
    ["", "/", "//", "/v1", "/v1/", "/v1/videos", "/v1/videos/text2video", "/v1/videos/text2video/", "/V1"],
)
def test_the_apis_own_path_is_no_part_of_its_base_url(secrets, rest):
    for around in ("{}", '"{}"', "{} # Singapore"):
        env = {"KLINGAI_BASE_URL": around.format(SINGAPORE + rest)}
        assert loaded(env, secrets).base_url == SINGAPORE


@pytest.mark.parametrize(
    "rest",
    [
        *(
            "/v2",
            "/v1/images",
            "/v1/videos/text2video/7",
            "/kling",
            "/v1//videos",
            "/v1;x",
            "?",
            "?x=1",
            "#x",
        ),
        *("/v1?x=1", "/v1#x", "/v1/#", "\\x", "/a b"),
    ],
)
def test_anything_else_behind_the_host_is_refused_with_the_remedy(secrets, rest):
    with pytest.raises(
        SettingsError, match=r"KLINGAI_BASE_URL .*give scheme, host and port only, such as https"
    ):
        loaded({"KLINGAI_BASE_URL": SINGAPORE + rest}, secrets)


GATEWAY = "https://gateway.example"


@pytest.mark.parametrize(
    "prefix", ["", "/kling", "/Team-7/kling", "/v2", "/v1/kling", "/api/kling%20x", "/~a;b"]
)
@pytest.mark.parametrize(
    "rest", ["", "/", "/v1", "/v1/", "/v1/videos", "/v1/videos/text2video", "/v1/videos/text2video/", "/V1"]
)
def test_the_path_of_a_gateway_stays_and_the_apis_own_behind_it_is_cut_off(secrets, prefix, rest):
    for around in ("{}", '"{}"', "{} # ours"):
        env = {"KLINGAI_BASE_URL": around.format(GATEWAY + prefix + rest)}
        assert loaded(env, secrets).base_url == GATEWAY + prefix


@pytest.mark.parametrize(
    "rest",
    [
        *("/kling?", "/kling?x=1", "/kling#x", "/kling/v1?x=1", "/kling/v1#x", "?x=1", "#x"),
        *("/v1/videos/text2video/7", "/kling/v1/videos/image2video", "/kling/V1/Videos/text2video/v1"),
        *("/kling//x", "//kling", "/kling/../x", "/./kling", "/kl\\x", "/a b", "/狐", "/<x>"),
    ],
)
def test_no_gateway_has_a_query_a_fragment_or_more_of_the_apis_path(secrets, rest):
    with pytest.raises(
        SettingsError, match=r"KLINGAI_BASE_URL .*for a gateway also the path in front of /v1"
    ):
        loaded({"KLINGAI_BASE_URL": GATEWAY + rest}, secrets)


def test_behind_a_gateway_calls_and_downloads_begin_at_its_path(secrets, tmp_path):
    with Loopback() as server:
        server.says(reply({"code": 0, "data": []}), task(), reply(b"clip"))
        settings = loaded(
            {"KLINGAI_API_KEY": KEY, "KLINGAI_BASE_URL": f"{server.url}/kling/v1/videos"}, secrets
        )
        connection = connect(settings)
        client = connection.client()
        assert client.list() == ()
        assert client.create(TextToVideo(prompt="A fox")).task_id == "7"
        for url in (f"{server.url}/files/v.mp4", "/files/v.mp4", "files/v.mp4"):
            assert client.download(url, tmp_path / "v.mp4") == 4
        connection.stop()
    assert [(seen.method, seen.path) for seen in server.seen] == [
        ("GET", "/kling/v1/videos/text2video"),
        ("POST", "/kling/v1/videos/text2video"),
        *(("GET", "/files/v.mp4") for _ in range(2)),
        ("GET", "/kling/files/v.mp4"),
    ]


def test_the_path_of_a_gateway_makes_no_other_account(secrets):
    env = {"KLINGAI_API_KEY": KEY}
    one, other = ({**env, "KLINGAI_BASE_URL": f"{GATEWAY}{path}"} for path in ("", "/kling"))
    assert loaded(one, secrets).account == loaded(other, secrets).account


@pytest.mark.parametrize(
    "url",
    [
        *("http://api-singapore.klingai.com", "http://10.0.0.1", "http://127.0.0.1.test"),
        "http://gateway.example/kling",
    ],
)
def test_no_key_travels_in_clear(secrets, url):
    with pytest.raises(SettingsError, match=r"KLINGAI_BASE_URL is plain http.*use https"):
        loaded({"KLINGAI_API_KEY": KEY, "KLINGAI_BASE_URL": url}, secrets)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000", "http://localhost", "http://[::1]:8000", "http://127.9.9.9"]
)
def test_an_address_on_this_machine_may_be_plain_http(secrets, url):
    assert loaded({"KLINGAI_BASE_URL": url}, secrets).base_url == url


@pytest.mark.parametrize(
    "url", ["HTTPS://API-Singapore.klingai.com", "https://api-singapore.klingai.com:443/v1"]
)
def test_a_base_url_is_the_same_however_it_is_written(secrets, url):
    assert loaded({"KLINGAI_BASE_URL": url}, secrets).base_url == SINGAPORE


@pytest.mark.parametrize("rest", ["", "/", "/v1", "/v1/videos/text2video", ":443", ":"])
def test_klings_own_host_needs_no_scheme(secrets, rest):
    for host in ("api-singapore.klingai.com", "API-Singapore.KlingAI.com"):
        assert loaded({"KLINGAI_BASE_URL": host + rest}, secrets).base_url == SINGAPORE


@pytest.mark.parametrize(
    "url",
    ["https://kling.ai/dev/api-key", "https://app.klingai.com", "https://www.klingai.com"],
)
def test_the_address_of_klings_pages_is_not_that_of_its_api(secrets, url):
    with pytest.raises(SettingsError, match=r"KLINGAI_BASE_URL .*such as https"):
        loaded({"KLINGAI_BASE_URL": url}, secrets)


# -- the data folder -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ("~/clips", "/home/ada/clips"),
        ("~", "/home/ada"),
        ('"~/my clips"', "/home/ada/my clips"),
        ("clips", "/srv/studio/clips"),
        ("/var/clips", "/var/clips"),
        ("a~b", "/srv/studio/a~b"),
        ("#1", "/srv/studio/data"),
    ],
)
def test_a_home_folder_is_expanded(secrets, text, folder):
    assert loaded({"STUDIO_DATA_DIR": text, "HOME": "/home/ada"}, secrets).data_dir == Path(folder)


@pytest.mark.parametrize(
    "text",
    [
        *("~nobody-of-that-name/x", "$HOME/clips", "${HOME}/x", "%USERPROFILE%/x", "/a # b", "a\nb"),
        *("file:///srv/clips", "s3://clips", "C:\\clips", "D:/clips", "\\\\server\\clips"),
    ],
)
def test_a_folder_that_cannot_be_meant_is_refused(secrets, text):
    with pytest.raises(SettingsError, match=r"STUDIO_DATA_DIR .*give the"):
        loaded({"STUDIO_DATA_DIR": text, "HOME": "/home/ada"}, secrets)


# -- hosts of videos -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("", set()),
        ("cdn.kling.test", {"cdn.kling.test"}),
        (" CDN.kling.test ,.files.test,, ", {"cdn.kling.test", ".files.test"}),
        ("a.test;b.test c.test", {"a.test", "b.test", "c.test"}),
        ("*.files.test", {".files.test"}),
        ("https://cdn.kling.test/v.mp4?x=1", {"cdn.kling.test"}),
        ("10.0.0.7, [::1], fd00::1", {"10.0.0.7", "::1", "fd00::1"}),
        ("localhost, cdn.kling.test.", {"localhost", "cdn.kling.test"}),
    ],
)
def test_hosts_of_videos_are_a_list(secrets, text, hosts):
    assert loaded({"STUDIO_VIDEO_HOSTS": text}, secrets).video_hosts == hosts


def test_hosts_of_videos_may_be_a_list_in_the_file(secrets):
    secrets.write_text('[kling]\nSTUDIO_VIDEO_HOSTS = ["a.test", ".b.test"]\n', encoding="utf-8")
    assert loaded({}, secrets).video_hosts == {"a.test", ".b.test"}


@pytest.mark.parametrize(
    "text", ["*", ".", ".com", "a.test:443", "a/b", "a..b", "狐.test", "-x.test", "a.test,@"]
)
def test_what_is_no_host_is_refused(secrets, text):
    with pytest.raises(SettingsError, match=r"STUDIO_VIDEO_HOSTS: .* is no host"):
        loaded({"STUDIO_VIDEO_HOSTS": text}, secrets)


# -- prices --------------------------------------------------------------------------------------------------


def test_the_price_of_a_unit_is_the_catalogs_unless_it_is_set(secrets):
    settings = loaded({}, secrets)
    assert (settings.unit_price, settings.currency) == (catalog().unit_usd, "USD")
    assert loaded({"STUDIO_CURRENCY": "usd"}, secrets).unit_price == catalog().unit_usd
    stored(secrets, STUDIO_UNIT_PRICE="0.7", STUDIO_CURRENCY="CNY")
    settings = loaded({}, secrets)
    assert (settings.unit_price, settings.currency) == (Decimal("0.7"), "CNY")


@pytest.mark.parametrize("price", ["0", "-1", "free", "0,126", "$0.1", "1e700000000", "nan", "inf", "1e12"])
def test_a_price_that_is_none_is_refused(secrets, price):
    with pytest.raises(SettingsError, match=r"STUDIO_UNIT_PRICE is .*such as 0\.126"):
        loaded({"STUDIO_UNIT_PRICE": price}, secrets)


@pytest.mark.parametrize("currency", ["$", "¥", "US", "EURO", "12A", "RMB yuan"])
def test_a_currency_that_is_none_is_refused(secrets, currency):
    with pytest.raises(SettingsError, match=r"STUDIO_CURRENCY is .*such as USD or CNY"):
        loaded({"STUDIO_CURRENCY": currency, "STUDIO_UNIT_PRICE": "1"}, secrets)


def test_another_currency_needs_a_price_of_its_own(secrets):
    with pytest.raises(SettingsError, match=r"Set STUDIO_UNIT_PRICE .* in CNY"):
        loaded({"STUDIO_CURRENCY": "CNY"}, secrets)


# -- callbacks -----------------------------------------------------------------------------------------------

SECRET = "whsec_dGVzdHNlY3JldHRlc3RzZWNyZXR0ZXN0c2VjcmV0MTI="


@pytest.mark.parametrize(
    ("public", "base", "callback_url"),
    [
        ("https://studio.example", "", "https://studio.example/callbacks"),
        ("https://studio.example/", "/studio", "https://studio.example/studio/callbacks"),
        ("HTTPS://Studio.Example", "", "https://studio.example/callbacks"),
        ("http://127.0.0.1:8501", "", "http://127.0.0.1:8501/callbacks"),
    ],
)
def test_with_a_public_address_callbacks_come_here(secrets, public, base, callback_url):
    env = {"STUDIO_PUBLIC_URL": public, "STUDIO_WEBHOOK_SECRET": SECRET}
    settings = load(env, secrets, root=Path("/srv"), base=base)
    assert settings.callback_url == callback_url
    assert settings.public_url == callback_url.removesuffix(f"{base}/callbacks")
    assert settings.webhook_secret == SECRET
    assert SECRET not in repr(settings)


def test_without_one_nothing_is_received_and_nothing_sent(secrets):
    settings = loaded({}, secrets)
    assert (settings.callback_url, settings.public_url, settings.webhook_secret) == ("", "", "")


def test_two_receivers_are_one_too_many(secrets):
    stored(secrets, STUDIO_CALLBACK_URL="https://elsewhere.example/hook")
    with pytest.raises(SettingsError, match="STUDIO_PUBLIC_URL and STUDIO_CALLBACK_URL"):
        loaded({"STUDIO_PUBLIC_URL": "https://studio.example"}, secrets)


@pytest.mark.parametrize(
    "public", ["studio.example", "ftp://studio.example", "https://", "https://a:b@studio.example"]
)
def test_a_public_address_that_is_none_is_refused(secrets, public):
    with pytest.raises(SettingsError, match="STUDIO_PUBLIC_URL is not an address"):
        loaded({"STUDIO_PUBLIC_URL": public}, secrets)


@pytest.mark.parametrize("rest", ["/studio", "/callbacks/", "?x=1", "#x", "?", "/?"])
def test_a_public_address_has_no_path(secrets, rest):
    with pytest.raises(SettingsError, match=r"scheme, host and port only.*baseUrlPath"):
        loaded({"STUDIO_PUBLIC_URL": f"https://studio.example{rest}"}, secrets)


@pytest.mark.parametrize("secret", ["whsec_", "whsec_***", "my secret!"])
def test_a_webhook_secret_that_is_none_is_refused_without_showing_it(secrets, secret):
    with pytest.raises(SettingsError, match="STUDIO_WEBHOOK_SECRET") as caught:
        loaded({"STUDIO_WEBHOOK_SECRET": secret}, secrets)
    assert caught.value.__cause__ is None
    assert secret not in str(caught.value).replace("whsec_ and base64", "")


def test_the_example_of_the_file_has_every_setting():
    example = (Path(__file__).parents[2] / ".streamlit" / "secrets.toml.example").read_text(encoding="utf-8")
    kling = tomllib.loads(re.sub(r"^# (?=[A-Z_]+ = )", "", example, flags=re.MULTILINE))["kling"]
    assert kling.keys() == set(NAMES)
