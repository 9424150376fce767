"""The page in a real browser beside real gateways: a cut of the line is seen at once."""

import sys
import time
import warnings
from datetime import datetime
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

from browser.driver import Browser, BrowserFailed, installed

from havpn_core.testing.lab import TwoSite
from havpn_core.testing.lab.gateways import start_pairs

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
ADDRESS = "http://127.0.0.1:9713/"
BUSY_S = 3.0
"""Within a second on a host that has the time; a crowded one draws later."""
WATCH = """
window.seen = [];
const look = () => {
  const texts = [...document.querySelectorAll('#role, #paths td[data-path=line]')];
  const now = texts.map(each => each.textContent).join(' ');
  if (!seen.length || seen.at(-1)[1] !== now) seen.push([Date.now() / 1000, now]);
};
new MutationObserver(look).observe(document.body,
  { subtree: true, childList: true, characterData: true });
look(); undefined
"""

if not installed():
    warnings.warn("NO CHROMIUM: the page was not tested (scripts/install-packages)", stacklevel=1)
    pytest.skip("needs Debian's chromium: THE PAGE WAS NOT TESTED", allow_module_level=True)


def opened(browser):
    """Open the page as soon as the process that serves it listens."""
    until = time.monotonic() + 30
    while True:
        try:
            browser.open(ADDRESS)
            break
        except BrowserFailed:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
    browser.wait("document.getElementById('role').textContent == '◆ active'")
    browser.wait("document.querySelector('#paths td[data-path=line]').textContent == '✓ up'")


def at(event):
    return datetime.fromisoformat(event["at"]).timestamp()


def shown(browser, words):
    """Give when the page first had these words, by the clock that events have, too."""
    script = f"(seen.find(each => each[1].includes('{words}')) || [0])[0]"
    return browser.wait(script)


def test_a_cut_is_seen_on_the_page_at_once(capsys):
    with TwoSite(ipsec=False) as lab:
        daemons = start_pairs(lab, around=lambda name: "\n[metrics]\n")
        with Browser(["nsenter", "-t", str(lab.hosts["gw-aa"].pid), "-n"]) as browser:
            opened(browser)
            browser.run(WATCH)
            since = time.time()
            lab.providers["provider-1"].cut()
            down = daemons["gw-aa"].wait_event("verdict", "down", 20, since)
            standby = daemons["gw-aa"].wait_event("action", "standby", 20, since)
            late = {
                "the line": shown(browser, "✕ down") - at(down),
                "the role": shown(browser, "◇ standby") - at(standby),
            }
            browser.wait("document.querySelector('#rows').textContent.includes('→ down')")
            browser.wait("document.querySelector('#picture').textContent.includes('✕')")
            assert browser.complaints() == []
            assert {each.partition("?")[0] for each in browser.requested()} == {
                ADDRESS, f"{ADDRESS}status", f"{ADDRESS}history",
            }  # fmt: skip
    with capsys.disabled():
        print("\n  the page was behind the event:", {k: f"{v:.2f} s" for k, v in late.items()})
    assert all(-0.1 < behind < BUSY_S for behind in late.values()), late
