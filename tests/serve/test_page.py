"""The page in a real browser: what it shows, that nothing on it is markup, small and dark."""

import json
import time
import warnings

import pytest
from browser.driver import Browser, installed
from browser.serving import publish, record, serving

from tests.serve.values import EVENT, document

pytestmark = pytest.mark.timeout(240)
NAUGHTY = (
    "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>&amp;"
)

if not installed():
    warnings.warn("NO CHROMIUM: the page was not tested (scripts/install-packages)", stacklevel=1)
    pytest.skip("needs Debian's chromium: THE PAGE WAS NOT TESTED", allow_module_level=True)


@pytest.fixture(scope="module")
def browser():
    with Browser() as made:
        yield made


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("page")


@pytest.fixture(scope="module")
def address(folder):
    with serving(folder) as found:
        yield found


@pytest.fixture(autouse=True)
def fresh(browser, folder):
    """Begin each test in a wide window without what the last one left."""
    browser.events.clear()
    browser.size(900, 1100)
    browser.scheme("light")
    record(folder, [])
    publish(folder, live())


def live(**changes):
    found = document(state="running", **changes)
    found["role"] |= {"observed": "active", "wanted": "active"}
    return found


def text(browser, what):
    return browser.run(f"document.querySelector({json.dumps(what)}).textContent")


def show(browser, address, role="active"):
    browser.open(address)
    browser.wait(f"document.getElementById('role').textContent.includes('{role}')")


def test_a_glance_says_who_is_active_and_which_road_lives(browser, address):
    show(browser, address)
    assert text(browser, "#node") == "gw-aa"
    assert text(browser, "#role") == "◆ active"
    assert browser.run("document.title") == "gw-aa: active"
    picture = text(browser, "#picture")
    assert "◆ active" in picture and "◀ live road ▶" in picture
    label = browser.run("document.getElementById('picture').getAttribute('aria-label')")
    assert "line up, the live road" in label
    assert text(browser, "#paths tr td:nth-child(2)") == "✓ up"
    assert browser.complaints() == []


def test_all_four_gateways_have_their_names(browser, address, folder):
    found = live()
    far = {"role": "active", "fit": True, "maintenance": False, "paused": False, "verdict": "up"}
    (probe,) = found["paths"]["line"]["probes"].values()
    probe["far"] = far | {"name": "gw-ba", "age_s": 0.1}
    found["pair"]["partner"] |= {"name": "gw-ab", "far": far | {"name": "gw-bb"}}
    publish(folder, found)
    show(browser, address)
    browser.wait("document.getElementById('picture').textContent.includes('gw-ba')")
    boxes = browser.run("[...document.querySelectorAll('#picture text')].map((t) => t.textContent)")
    names = [each for each in boxes if each.startswith("gw-")]
    assert names == ["gw-aa", "gw-ba", "gw-ab", "gw-bb"]


def test_what_a_far_gateway_said_long_ago_is_not_its_role(browser, address, folder):
    found = live()
    (probe,) = found["paths"]["line"]["probes"].values()
    for age_s, words in ((0.1, "◆ active"), (60.0, "role not known")):
        probe["far"] = {"role": "active", "name": "gw-ba", "age_s": age_s}
        publish(folder, found)
        show(browser, address)
        browser.wait("document.getElementById('picture').textContent.includes('gw-ba')")
        boxes = browser.run(
            "[...document.querySelectorAll('#picture text')].map((t) => t.textContent)"
        )
        assert boxes[boxes.index("gw-ba") + 1] == words


def test_a_change_is_drawn_without_a_reload(browser, address, folder):
    show(browser, address)
    found = live()
    found["paths"]["line"]["verdict"] = "down"
    found["role"] |= {"observed": "standby", "wanted": "standby"}
    publish(folder, found)
    record(folder, [EVENT])
    browser.wait("document.querySelector('#paths td[data-path=line]').textContent == '✕ down'")
    browser.wait("document.getElementById('role').textContent == '◇ standby'")
    browser.wait("document.querySelectorAll('#rows tr').length == 1")
    assert "verdict line: up → down" in text(browser, "#rows")
    assert "✕" in text(browser, "#picture")


def test_the_timeline_has_the_spells_of_the_last_hour(browser, address, folder):
    now = time.time()
    found = live(written_at=stamp(now))
    record(
        folder,
        [
            EVENT | {"at": stamp(now - 1800), "before": "up", "after": "down"},
            EVENT | {"at": stamp(now - 900), "before": "down", "after": "up"},
        ],
    )
    publish(folder, found)
    show(browser, address)
    browser.wait("document.querySelectorAll('#rows tr').length == 2")
    titles = browser.run(
        "[...document.querySelectorAll('#timeline title')].map(x => x.textContent)"
    )
    line = [title for title in titles if title.startswith("line ")]
    assert [title.split()[1] for title in line] == ["up", "down", "up"]
    widths = browser.run(
        "[...document.querySelectorAll('#timeline rect:has(title)')]"
        ".filter(x => x.textContent.startsWith('line ')).map(x => +x.getAttribute('width'))"
    )
    total = sum(widths)
    assert [round(width / total, 2) for width in widths] == [0.5, 0.25, 0.25]
    assert browser.run("document.querySelectorAll('#timeline .bad')[0].style.fill").startswith(
        'url("#hatch")'
    )


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))


def test_nothing_that_comes_from_outside_is_markup(browser, address, folder):
    found = live(node=NAUGHTY, version=NAUGHTY)
    found["paths"] = {NAUGHTY: found["paths"]["line"] | {"failing": NAUGHTY, "verdict": "down"}}
    found["role"] |= {"reason": NAUGHTY, "forced": NAUGHTY}
    found["pair"] |= {"troubles": [NAUGHTY]}
    found["pair"]["partner"] |= {"role": NAUGHTY, "path": NAUGHTY}
    found["fitness"] = {"fit": False, "reason": NAUGHTY}
    publish(folder, found)
    record(folder, [{**EVENT, **dict.fromkeys(("subject", "before", "after", "detail"), NAUGHTY)}])
    show(browser, address)
    browser.wait("document.querySelectorAll('#rows tr').length == 1")
    assert text(browser, "#node") == NAUGHTY and NAUGHTY in text(browser, "#rows")
    assert browser.run("document.querySelectorAll('img').length") == 0
    assert browser.run("document.querySelectorAll('script').length") == 1
    assert "owned" not in browser.run("document.title").removeprefix(NAUGHTY)


def test_a_script_that_gets_in_all_the_same_does_not_run(browser, address):
    show(browser, address)
    browser.run(
        "const x = document.createElement('script'); x.textContent = 'window.owned = 1';"
        "document.body.append(x); undefined"
    )
    assert browser.run("window.owned === undefined")
    assert any("Content Security Policy" in each for each in browser.complaints())


def test_the_page_asks_this_gateway_alone(browser, address):
    show(browser, address)
    asked = {each.partition("?")[0] for each in browser.requested()}
    assert asked <= {address, f"{address}status", f"{address}history"}


@pytest.mark.parametrize("width", [400, 320])
def test_a_telephone_shows_all_of_it(browser, address, folder, width):
    found = live()
    found["paths"]["a-path-with-a-rather-long-name"] = found["paths"]["line"]
    publish(folder, found)
    record(folder, [EVENT | {"detail": "x" * 200}])
    browser.size(width, 800, mobile=True)
    show(browser, address)
    browser.wait("document.querySelectorAll('#rows tr').length == 1")
    assert browser.run("document.documentElement.scrollWidth") <= width


def test_dark_and_light_are_both_readable(browser, address):
    """The contrast of what must be read is at least 4.5, as WCAG AA has it."""
    for scheme in ("light", "dark"):
        browser.scheme(scheme)
        show(browser, address)
        colours = browser.run(
            "(() => { const s = getComputedStyle(document.documentElement); return Object."
            "fromEntries(['ground', 'ink', 'faint', 'good', 'bad'].map(n => [n, "
            "s.getPropertyValue('--' + n).trim()])) })()"
        )
        ground = colours.pop("ground")
        assert browser.run("getComputedStyle(document.body).backgroundColor") == rgb(ground)
        assert {n: c for n, c in colours.items() if contrast(c, ground) < 4.5} == {}, scheme


def parts(colour):
    return [int(colour[n : n + 2], 16) for n in (1, 3, 5)]


def rgb(colour):
    return f"rgb({', '.join(map(str, parts(colour)))})"


def contrast(one, other):
    def light(colour):
        linear = [
            c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4
            for c in (part / 255 for part in parts(colour))
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


def test_a_gateway_that_hangs_is_not_shown_as_active(browser, address, folder):
    show(browser, address)
    (folder / "status.json").unlink()
    browser.wait("document.getElementById('role').textContent == '? not known'")
    assert "What is shown is old." in text(browser, "#trouble")
    publish(folder, live())
    browser.wait("document.getElementById('role').textContent == '◆ active'")
