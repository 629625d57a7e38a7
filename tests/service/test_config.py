"""Settings: where they come from, and that a value that cannot be used is named at the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from service import create_app
from service.config import PROJECT_ROOT, VARIABLES, Settings, SettingsError, take_from


def load(tmp_path: Path, env_file: str | bytes | None = None, **environment: str) -> Settings:
    path = tmp_path / ".env"
    if env_file is not None:
        path.write_bytes(env_file if isinstance(env_file, bytes) else env_file.encode())
    return Settings.load(environment, path)


def test_defaults(tmp_path: Path) -> None:
    assert load(tmp_path) == Settings(
        model_path=PROJECT_ROOT / "models/model.joblib",
        scaler_path=PROJECT_ROOT / "models/scaler.joblib",
        networks_path=PROJECT_ROOT / "models/networks",
        threshold=0.75,
        max_content_mb=2.0,
        max_megapixels=64.0,
        model_version="me-verifier-v1",
        host="0.0.0.0",
        port=5000,
        debug=False,
        cors_origins=None,
        workers=4,
    )


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    settings = load(tmp_path, "VERIFY_THRESHOLD=0.5\nPORT=8000\n# PORT=1\nFLASK_DEBUG=True\n", PORT="9000")
    assert (settings.threshold, settings.port, settings.debug) == (0.5, 9000, True)


def test_the_process_environment_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERIFY_THRESHOLD", "0.25")
    assert Settings.load(env_file=tmp_path / "none").threshold == 0.25


def test_the_file_may_start_with_a_byte_order_mark(tmp_path: Path) -> None:
    assert load(tmp_path, b"\xef\xbb\xbfVERIFY_THRESHOLD=0.5\n").threshold == 0.5


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"\.env is not UTF-8"):
        load(tmp_path, "VERIFY_THRESHOLD=0.5\n".encode("utf-16"))


@pytest.fixture
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of this process, put back afterwards."""
    monkeypatch.setattr("os.environ", {"PORT": "1000", "MODEL_VERSION": "old"})


@pytest.mark.usefixtures("own_environment")
def test_a_file_that_is_given_wins_and_the_last_one_most(tmp_path: Path) -> None:
    one, two = tmp_path / "one.env", tmp_path / "two.env"
    one.write_bytes(b"\xef\xbb\xbfPORT=2000\nMODEL_VERSION=${PORT}\n# HEADER_SECONDS=1\n")
    two.write_text("PORT=3000\n", encoding="utf-8")
    take_from(one)
    take_from(two)
    settings = Settings.load(env_file=tmp_path / "none")
    assert (settings.port, settings.model_version, settings.header_seconds) == (3000, "${PORT}", 10)


@pytest.mark.usefixtures("own_environment")
def test_a_wrong_value_is_told_with_the_file_that_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = tmp_path / "one.env", tmp_path / "two.env"
    one.write_text("PORT=x\nREQUIRE_KEYS=maybe\nHEADER_SECONDS=5\n", encoding="utf-8")
    two.write_text("REQUIRE_KEYS=perhaps\n", encoding="utf-8")
    take_from(one)
    take_from(two)
    monkeypatch.setenv("HEADER_SECONDS", "x")
    with pytest.raises(SettingsError) as caught:
        Settings.load(env_file=tmp_path / "none")
    told = str(caught.value).splitlines()
    assert f"PORT is 'x' in {one}; expected a port number from 1 to 65535" in told
    assert any(line.startswith(f"REQUIRE_KEYS is 'perhaps' in {two}; expected") for line in told)
    assert any(line.startswith("HEADER_SECONDS is 'x'; expected") for line in told)


@pytest.mark.usefixtures("own_environment")
@pytest.mark.parametrize(
    ("content", "reason"), [(None, "No such file"), ("folder", "Is a directory"), (b"\xff", "not UTF-8")]
)
def test_a_file_that_is_given_has_to_be_readable(tmp_path: Path, content: str | bytes | None, reason: str) -> None:
    """Else a command would work with other settings than those that were meant."""
    path = tmp_path / "given.env"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        path.mkdir()
    with pytest.raises(SettingsError, match=f"--env-file is .*given.env.*{reason}"):
        take_from(path)


def test_paths_are_relative_to_the_project_not_to_the_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load(tmp_path, MODEL_PATH="other/m.joblib", SCALER_PATH=str(tmp_path / "s.joblib"))
    assert settings.model_path == PROJECT_ROOT / "other/m.joblib"
    assert settings.scaler_path == tmp_path / "s.joblib"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        *[
            ("VERIFY_THRESHOLD", value, "a number from 0 to 1")
            for value in ("abc", "1.5", "-0.1", "nan", "", "0,75", "0_1")
        ],
        *[("PORT", value, "a port number from 1 to 65535") for value in ("0", "65536", "-1", "5000.0", "", "http")],
        *[("MAX_CONTENT_MB", value, "greater than 0") for value in ("0", "-2", "inf", "nan", "2MB", "")],
        *[("MAX_MEGAPIXELS", value, "greater than 0") for value in ("0", "-1", "179", "x")],
        *[("FLASK_DEBUG", value, "one of true") for value in ("maybe", "2", "")],
        *[("MAX_WAIT_SECONDS", value, "seconds greater than 0") for value in ("0", "-1", "soon", "inf")],
        *[("WEB_CONCURRENCY", value, "1 or more") for value in ("0", "-1", "two", "1.5")],
        *[("CORS_ORIGINS", value, "a list of origins") for value in ("example.org", "https://a.example,b")],
        *[
            ("KEY_LIMIT", value, "a number of requests for a time")
            for value in ("", "many", "0/minute", "-1/minute", "5")
        ],
        ("REQUIRE_KEYS", "perhaps", "one of true"),
        ("KEYS_PATH", "", "a path"),
        *[("LOG_FORMAT", value, "text or json") for value in ("", "xml", "text,json")],
        ("MODEL_PATH", "", "a path"),
        ("FLASK_HOST", " ", "some text"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_expected(tmp_path: Path, name: str, value: str, expected: str) -> None:
    with pytest.raises(SettingsError) as error:
        load(tmp_path, **{name: value})
    message = str(error.value)
    assert message.startswith(f"{name} is {value.strip()!r}; expected ") and expected in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [("PORT", "1", "port", 1), ("PORT", "65535", "port", 65535), ("MAX_MEGAPIXELS", "178", "max_pixels", 178_000_000),
     ("MAX_MEGAPIXELS", "0.000001", "max_pixels", 1), ("MAX_CONTENT_MB", "1.5", "max_image_bytes", 1_572_864),
     ("MAX_CONTENT_MB", "2", "max_body_bytes", 2 * 2**20 + 65_536), ("WEB_CONCURRENCY", "1", "workers", 1)],
)  # fmt: skip
def test_the_ends_of_a_range_are_allowed_and_units_are_as_named(
    tmp_path: Path, name: str, value: str, field: str, expected: int
) -> None:
    assert getattr(load(tmp_path, **{name: value}), field) == expected


@pytest.mark.parametrize("value", ["0", "1", "0.0", "1.0", "1e-1", " 0.5 "])
def test_thresholds_that_are_allowed(tmp_path: Path, value: str) -> None:
    assert load(tmp_path, VERIFY_THRESHOLD=value).threshold == float(value)


@pytest.mark.parametrize(
    ("value", "debug"), [("true", True), ("1", True), ("YES", True), ("False", False), ("0", False)]
)
def test_debug(tmp_path: Path, value: str, debug: bool) -> None:
    assert load(tmp_path, FLASK_DEBUG=value).debug is debug


def test_everything_wrong_is_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as error:
        load(tmp_path, "PORT=x\n", VERIFY_THRESHOLD="2")
    assert [line.split()[0] for line in str(error.value).splitlines()] == ["VERIFY_THRESHOLD", "PORT"]


def test_a_number_of_cores_that_is_none_is_reported_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "two")
    with pytest.raises(SettingsError, match="LOKY_MAX_CPU_COUNT is 'two'; expected a number of processor cores"):
        load(tmp_path)


def test_a_name_in_the_file_that_is_no_setting_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The environment has many other variables, which are nobody's business."""
    load(tmp_path, "PORTS=1\nPORT=9000\n", HOME="/root")
    (said,) = [record.getMessage() for record in caplog.records]
    assert "PORTS" in said and ".env.example" in said


def test_origins_lose_a_slash_that_would_never_match(tmp_path: Path) -> None:
    settings = load(tmp_path, CORS_ORIGINS="https://a.example/, http://b.example:8080")
    assert settings.cors_origins == ("https://a.example", "http://b.example:8080")


def test_a_wrong_value_stops_create_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERIFY_THRESHOLD", "1.5")
    with pytest.raises(SettingsError, match=r"VERIFY_THRESHOLD is '1\.5'"):
        create_app()


def test_each_app_reads_its_own_threshold(monkeypatch: pytest.MonkeyPatch, no_models: Settings) -> None:
    for name, path in (("MODEL_PATH", no_models.model_path), ("NETWORKS_PATH", no_models.networks_path)):
        monkeypatch.setenv(name, str(path))
    thresholds = []
    for value in ("0.2", "0.9"):
        monkeypatch.setenv("VERIFY_THRESHOLD", value)
        thresholds.append(create_app().extensions["settings"].threshold)
    assert thresholds == [0.2, 0.9]


def test_the_example_file_lists_every_variable_with_its_default(tmp_path: Path) -> None:
    lines = (PROJECT_ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    variables = [line.removeprefix("# ") for line in lines if line.startswith("# ") and "=" in line.split(" ")[1]]
    assert len(variables) == len(VARIABLES)
    assert load(tmp_path, "\n".join(variables)) == Settings()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"TLS_CERT_PATH": "c.pem", "TLS_KEY_PATH": ""}, "TLS_CERT_PATH is set and TLS_KEY_PATH is not"),
        ({"TLS_KEY_PATH": "k.pem"}, "TLS_KEY_PATH is set and TLS_CERT_PATH is not"),
        ({"TLS_CERT_PATH": "c.pem", "TLS_KEY_PATH": "k.pem"}, "expected a certificate and its key, both PEM files"),
    ],
)
def test_tls_needs_a_certificate_and_its_key(tmp_path: Path, given: dict[str, str], expected: str) -> None:
    with pytest.raises(SettingsError) as error:
        load(tmp_path, **given)
    assert expected in str(error.value)


def test_accepted_types_are_put_in_order(tmp_path: Path) -> None:
    assert load(tmp_path).accepted_types == ("image/jpeg", "image/png")
    given = load(tmp_path, ACCEPTED_TYPES="image/heic, IMAGE/PNG,image/jpeg,image/png,")
    assert given.accepted_types == ("image/jpeg", "image/png", "image/heic")
    assert [kind.name for kind in given.kinds] == ["JPEG", "PNG", "HEIC"]


@pytest.mark.parametrize("text", ["", ",", "image/gif", "image/jpeg,jpeg", "image/.*"])
def test_accepted_types_that_are_not_read_are_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match=r"ACCEPTED_TYPES is .*expected a list of these types.*image/avif"):
        load(tmp_path, ACCEPTED_TYPES=text)


def test_a_password_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, LIMITS_STORAGE="http://:hunter2@example.org")
    assert "LIMITS_STORAGE" in str(caught.value) and "hunter2" not in str(caught.value)
