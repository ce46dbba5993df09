from __future__ import annotations

import plistlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reelremix.daemon import units
from reelremix.errors import DaemonError

ENVIRONMENT = {"REELREMIX_DATA_DIR": '/data "50 %" $x', "PATH": "/bin", "REELREMIX_JUDGE_KEY": "s"}


def test_a_unit_passes_systemds_own_check(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze")
    service = units.service_for({**ENVIRONMENT, "XDG_CONFIG_HOME": str(tmp_path)}, "linux")
    service.file.parent.mkdir(parents=True)
    service.file.write_bytes(service.content)
    command = ["systemd-analyze", "verify", "--user", "--man=no", str(service.file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    about = [line for line in done.stderr.splitlines() if "reelremix" in line.lower()]
    assert not about


def test_a_unit_begins_this_installation_with_these_settings() -> None:
    text = units.service_for(ENVIRONMENT, "linux").content.decode()
    assert f'ExecStart="{sys.executable}" -P -m reelremix daemon start --foreground' in text
    assert 'Environment="REELREMIX_DATA_DIR=/data \\"50 %%\\" $x"' in text


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_secrets_and_what_is_not_ours_stay_out(platform: str) -> None:
    content = units.service_for(ENVIRONMENT, platform).content.decode()
    assert "JUDGE_KEY" not in content and "PATH" not in content


def test_an_agent_is_a_property_list_with_the_command() -> None:
    service = units.service_for(ENVIRONMENT, "darwin")
    content = plistlib.loads(service.content)
    assert content["ProgramArguments"][0] == sys.executable
    assert content["EnvironmentVariables"] == {"REELREMIX_DATA_DIR": '/data "50 %" $x'}
    assert service.file.name == "com.reelremix.daemon.plist"


def test_elsewhere_it_is_told_what_to_do() -> None:
    with pytest.raises(DaemonError, match="on win32") as caught:
        units.service_for({}, "win32")
    assert "daemon start" in (caught.value.hint or "")


def test_what_cannot_be_begun_here_is_left_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    service = units.service_for({"XDG_CONFIG_HOME": str(tmp_path)}, "linux")
    left = units.install(service)
    assert left == (
        "systemctl --user daemon-reload && systemctl --user enable --now reelremix.service"
    )
    assert service.file.read_bytes() == service.content
    assert units.uninstall(service) and not service.file.exists()
    assert not units.uninstall(service)


def test_a_service_that_does_not_begin_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = tmp_path / "systemctl"
    control.write_text('#!/bin/sh\ncase "$*" in *enable*) exit 1;; esac\n')
    control.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    service = units.service_for({"XDG_CONFIG_HOME": str(tmp_path)}, "linux")
    assert units.install(service) == "systemctl --user enable --now reelremix.service"
