"""The explorer's page in a real browser: what a user does, and what is seen then. Skipped where there is no chromium."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from browser import CHROMIUM, Browser

import tinygrad_notes as tn
from tinygrad_notes import nn

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (apt install chromium)"),
]

STEPS = 12


class Recorded:
    """A page, and the arrays that it shows."""

    def __init__(self, folder: Path) -> None:
        tn.manual_seed(0)
        rng = np.random.default_rng(0)
        self.w = tn.tensor(rng.normal(size=(4, 4)) * 0.1, requires_grad=True)
        x = tn.tensor(rng.normal(size=(STEPS, 3, 4)))
        with tn.Tape() as self.tape:
            self.tape.names[self.w._current_node()] = "rnn.weight"
            h = tn.zeros(3, 4, dtype="float64")
            with tn.scope("rnn"):
                for t in range(STEPS):
                    with tn.scope("step", t):
                        h = (x[t] + h @ self.w).tanh()
            self.h = h
            with tn.scope("loss"):
                loss = (h * h).sum()
            loss.backward()
        self.path = tn.viz.explore(self.tape, folder / "tape.html", title="a recurrent net")
        self.number = {node: i for i, node in enumerate([*self.tape.leaves, *self.tape.nodes])}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return Recorded(tmp_path_factory.mktemp("explorer"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, recorded: Recorded) -> Iterator[Browser]:
    browser.complaints.clear()
    browser.requests.clear()
    browser.resize(1400, 900)
    browser.open(recorded.path)
    yield browser
    assert browser.complaints == [], "errors on the console"
    assert {address.partition("#")[0] for address in browser.requests} <= {recorded.path.as_uri(), "about:blank"}


def boxes(page: Browser) -> int:
    return int(page.run("document.querySelectorAll('.box').length"))


def titles(page: Browser) -> list[str]:
    found: list[str] = page.run("[...document.querySelectorAll('.box .title')].map(text => text.textContent)")
    return found


def heading(page: Browser) -> str:
    text: str = page.run(
        "document.querySelector('#panel h2').firstChild.data + document.querySelector('#panel h2').childNodes[1]?.data"
    )
    return text.strip()


def transform(page: Browser) -> list[float]:
    numbers: list[float] = page.run(
        "document.querySelector('#world').getAttribute('transform').match(/-?[\\d.]+/g).map(Number)"
    )
    return numbers


def statistics(page: Browser, which: str) -> dict[str, float]:
    found: dict[str, Any] = page.run(
        f"Object.fromEntries([...document.querySelectorAll('.statistics.{which} dd')].map(d => [d.classList[0], d.textContent]))"
    )
    return {name: float(text.replace(",", "")) for name, text in found.items()}


def go(page: Browser, fragment: str) -> None:
    page.run(f"location.hash = {fragment!r}")
    page.run("new Promise(done => setTimeout(done, 30))")


# ---- what it shows ----


def test_it_opens_with_scopes_folded(page: Browser) -> None:
    assert "▸ step 0…11" in titles(page)
    assert 3 <= boxes(page) < 30 < page.run("nodes.length")
    assert page.run("document.title") == "a recurrent net"
    legend = page.run("document.querySelector('#legend').textContent")
    assert {"parameter", "forward", "gradient"} <= {word for word in ("parameter", "forward", "gradient") if word in legend}


def test_no_boxes_lie_on_one_another_and_all_are_in_sight(page: Browser) -> None:
    for action in ("", "openOne(scopes.find(s => s.label === 'step 3')); fit()", "setViews(true); fit()"):
        page.run(action)
        overlaps = page.run(
            "(() => { const all = [...picture.items.values()].filter(item => item.kind !== 'open'); let n = 0;"
            " const apart = (a, b) => a.x >= b.x + b.w || b.x >= a.x + a.w || a.y >= b.y + b.h || b.y >= a.y + a.h;"
            " for (const a of all) for (const b of all) if (a !== b && !apart(a, b)) n++; return n; })()"
        )
        assert overlaps == 0, action
        outside = page.run(
            "[...document.querySelectorAll('.box')].filter(box => {"
            " const a = box.getBoundingClientRect(), b = canvas.getBoundingClientRect();"
            " return a.left < b.left || a.right > b.right || a.top < b.top || a.bottom > b.bottom; }).length"
        )
        assert outside == 0, action


def test_statistics_are_numpys(page: Browser, recorded: Recorded) -> None:
    number = recorded.number[recorded.h._current_node()]
    go(page, f"#n{number}")
    assert heading(page) == f"%{number} tanh"
    h = recorded.h.detach().numpy()
    gradient = 2 * h
    for which, array in (("value", h), ("gradient", gradient)):
        said = statistics(page, which)
        expected = {
            "min": array.min(),
            "max": array.max(),
            "mean": array.mean(),
            "std": array.std(),
            "norm": np.linalg.norm(array),
        }
        for name, value in expected.items():
            assert said[name] == pytest.approx(value, rel=1e-4), (which, name)
        assert (said["zeros"], said["nan"], said["inf"]) == (0, 0, 0)
    assert page.run("document.querySelectorAll('.histogram').length") == 2
    assert "g - g * out * out" in page.run("document.querySelector('.rules').textContent")
    line = page.run("document.querySelector('.line').textContent + ' ' + document.querySelector('.source').textContent")
    assert "test_explore_browser.py:" in line
    assert line.endswith("h = (x[t] + h @ self.w).tanh()")


def test_a_parameter_shows_its_gradient(page: Browser, recorded: Recorded) -> None:
    weight, gradient = np.linalg.norm(recorded.w.detach().numpy()), np.linalg.norm(recorded.w.grad.numpy())
    row = page.run("[...document.querySelectorAll('#panel tr')].find(row => row.textContent.includes('weight')).innerText")
    assert [float(text) for text in row.split()[-2:]] == pytest.approx([weight, gradient], rel=1e-2)
    go(page, f"#n{recorded.number[recorded.w._current_node()]}")
    assert statistics(page, "gradient")["norm"] == pytest.approx(gradient, rel=1e-4)


def test_gradients_stand_beside_their_forward_scopes(page: Browser) -> None:
    page.run("scopes.filter(s => s.forward === undefined && /^step [789]$/.test(s.label)).forEach(openOne)")
    page.run("openOne(scopes[scopes.find(s => s.label === 'step 7').mirror])")
    gradient, forward = page.run(
        "[...picture.items.values()].filter(item => item.kind === 'open' && item.scope.label === 'step 7')"
        ".sort((a, b) => b.x - a.x).map(item => item.y + item.h)"
    )
    assert gradient == pytest.approx(forward, abs=0.5)


# ---- what a user does ----


def test_clicks_fold_and_unfold(page: Browser) -> None:
    before = boxes(page)
    page.click("#item-" + page.run("[...picture.items.values()].find(item => item.kind === 'run').key"))
    assert boxes(page) == before, "a pile shows its members first"
    bars = page.run("document.querySelectorAll('#panel .bars:first-of-type .bar').length")
    assert bars >= STEPS
    page.click("#panel .bar:nth-of-type(4) .touch")
    opened = boxes(page)
    assert opened > before + 3
    assert "▸ step 0…2" in titles(page)
    assert "▸ step 4…11" in titles(page)
    page.click(
        "#item-"
        + page.run("[...picture.items.values()].find(item => item.kind === 'open' && item.scope.label === 'step 3').key")
        + " .handle"
    )
    assert boxes(page) == before
    page.click("#folded")
    assert boxes(page) < before
    page.click(
        "#item-" + page.run("[...picture.items.values()].find(item => item.kind === 'scope' && item.scope.label === 'rnn').key")
    )
    assert any("step 0…11" in title for title in titles(page))


def test_folding_a_scope_folds_what_is_in_it(page: Browser) -> None:
    before = titles(page)
    page.run("openOne(scopes.find(s => s.label === 'step 3'))")
    rnn = "scopes.find(s => s.label === 'rnn')"
    page.run(f"toggle({rnn})")
    assert "▸ rnn" in titles(page)
    page.run(f"toggle({rnn})")
    assert titles(page) == before


def test_what_is_clicked_stays_where_it_is(page: Browser) -> None:
    page.click("#folded")
    key = page.run("[...picture.items.values()].find(item => item.kind === 'scope' && item.scope.label === 'rnn').key")
    before = page.middle(f"#item-{key} .body")
    top = page.run(f"document.querySelector('#item-{key} .body').getBoundingClientRect().top")
    page.click(f"#item-{key}")
    after = page.run(
        f"(() => {{ const b = document.querySelector('#item-{key} rect').getBoundingClientRect(); return [b.x + b.width / 2, b.top]; }})()"
    )
    assert after[0] == pytest.approx(before[0], abs=2)
    assert after[1] == pytest.approx(top, abs=2)


def test_clicking_a_node_shows_it_and_the_address_remembers(page: Browser) -> None:
    page.run("openOne(scopes.find(s => s.label === 'step 5' && !/backward/.test(pathOf(s.id))))")
    key = page.run("[...picture.items.values()].find(item => item.kind === 'node' && callText(item.node) === 'tanh').key")
    page.click(f"#item-{key}")
    assert page.run("location.hash") == f"#{key}"
    assert heading(page) == f"%{key[1:]} tanh"
    assert page.run("document.querySelectorAll('.edge.near').length") >= 2
    page.press("Escape")
    assert heading(page).startswith("a recurrent net")
    page.run("history.back()")
    page.run("new Promise(done => setTimeout(done, 60))")
    assert heading(page) == f"%{key[1:]} tanh"


def test_an_address_opens_its_node(browser: Browser, recorded: Recorded) -> None:
    number = recorded.number[recorded.h._current_node()]
    browser.open(recorded.path, f"#n{number}")
    assert heading(browser) == f"%{number} tanh"
    x, y = browser.middle(f"#item-n{number}")
    assert 0 < x < 1060
    assert 40 < y < 900
    browser.open(recorded.path, "#n999999")
    assert heading(browser).startswith("a recurrent net")


def test_jumps_from_forward_to_gradient_and_back(page: Browser, recorded: Recorded) -> None:
    node = recorded.h._current_node()
    number = recorded.number[node]
    (gradient,) = (recorded.number[g] for g in recorded.tape.gradients[node])
    go(page, f"#n{number}")
    page.click("#canvas")  # the keyboard belongs to the picture; nothing is selected
    go(page, f"#n{number}")
    page.press("g")
    assert page.run("selected.node.id") == gradient
    assert page.run("isGradient(selected.node)")
    page.press("g")
    assert page.run("selected.node.id") == number
    page.click("#panel .jump a")
    assert page.run("selected.node.id") == gradient
    assert "recorded by a VJP rule of" in page.run("document.querySelector('.jumps').textContent")
    page.click("#panel .jump a")
    assert page.run("selected.node.id") == number


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("tanh", STEPS),
        ("tanh step 3", 1),
        ("rnn.weight", 1),
        ("3×4 tanh", STEPS),
        ("f64[3,4] TANH", STEPS),
        ("no such thing", 0),
    ],
)
def test_search(page: Browser, words: str, count: int) -> None:
    page.press("/")
    page.type(words)
    assert page.run("results.length") == count
    assert page.run("document.querySelectorAll('#found a').length") == count
    if count:
        page.press("Enter")
        first = page.run("selected.node.id")
        assert all(word.lower() in page.run(f"textOf(nodes[{first}])") for word in words.split())
        page.press("Enter")
        assert (page.run("selected.node.id") != first) == (count > 1)
    else:
        assert "nothing found" in page.run("document.querySelector('#found').textContent")


def test_pan_and_zoom(page: Browser) -> None:
    x, y, k = transform(page)
    page.drag((700, 860), (760, 840))
    assert transform(page) == pytest.approx([x + 60, y - 20, k], abs=0.1)
    page.wheel(500, 400, -200)
    page.run("new Promise(done => setTimeout(done, 60))")
    nearer = transform(page)
    assert nearer[2] > k * 1.2
    px, py = 500, 400 - page.run("canvas.getBoundingClientRect().top")
    assert (px - nearer[0]) / nearer[2] == pytest.approx((px - x - 60) / k, abs=0.5), "the point under the mouse stays"
    assert (py - nearer[1]) / nearer[2] == pytest.approx((py - y + 20) / k, abs=0.5)
    page.press("-")
    assert transform(page)[2] == pytest.approx(nearer[2] * 0.8, rel=1e-3)
    page.click("#in")
    assert transform(page)[2] == pytest.approx(nearer[2], rel=1e-3)
    page.click("#fit")
    assert transform(page) == pytest.approx([x, y, k], abs=0.1)


def test_keys_walk_from_box_to_box(page: Browser) -> None:
    page.press("ArrowDown")
    first = page.run("keyOf(selected)")
    page.press("ArrowDown")
    second = page.run("keyOf(selected)")
    assert first != second
    assert page.run(f"picture.items.get('{second}').y > picture.items.get('{first}').y")
    page.press("ArrowUp")
    assert page.run("keyOf(selected)") == first
    run = page.run("[...picture.items.values()].find(item => item.kind === 'run').scope.id")
    page.run(f"goToScope(scopes[{run}])")
    before = boxes(page)
    page.press("Enter")
    assert boxes(page) > before
    page.press("Enter")
    assert boxes(page) == before, "and Enter folds it again"


def test_tint_shows_gradients_that_vanish(page: Browser) -> None:
    page.run("goToScope(scopes.find(s => s.label === 'step 0'))")
    page.click("#tint label:nth-of-type(3)")
    assert page.run("settings.tint") == "gradient"
    sizes = page.run("selected.run.map(scope => sizeOfScope(scope, 'gradient'))")
    assert len(sizes) == STEPS
    assert sizes[0] < sizes[5] < sizes[-1] - 3, "powers of ten"
    stripes = page.run("[...document.querySelectorAll('.box.selected .stripe')].map(stripe => stripe.getAttribute('fill'))")
    assert len(set(stripes)) >= STEPS - 1, "a shade for every step"
    page.click("#tint label:nth-of-type(1)")
    fills = page.run("[...document.querySelectorAll('.box.parameter .body')].map(body => body.getAttribute('fill'))")
    assert set(fills) == {"#ffe08a"}


def test_views_are_shown_when_asked_for(page: Browser) -> None:
    page.run("openOne(scopes.find(s => s.label === 'step 3'))")
    before = boxes(page)
    page.click("#views")
    assert boxes(page) > before
    assert "slice" in titles(page)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [(1400, 900), (800, 600)], ids=["large", "small"])
def test_windows_and_schemes(page: Browser, size: tuple[int, int], dark: bool) -> None:
    page.resize(*size, dark)
    page.click("#fit")
    assert page.run(
        "document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight"
    )
    light = sum(map(int, page.run("getComputedStyle(document.body).backgroundColor.match(/\\d+/g)"))) / 3
    assert light < 60 if dark else light > 200
    right = page.run("[...document.querySelectorAll('header button, #search')].map(b => b.getBoundingClientRect().right)")
    assert max(right) <= size[0]


def test_what_is_in_the_middle_stays_there_when_the_window_changes(page: Browser, recorded: Recorded) -> None:
    key = f"#item-n{recorded.number[recorded.h._current_node()]}"
    go(page, key.replace("item-", ""))
    page.resize(800, 600)
    page.run("new Promise(done => setTimeout(done, 60))")
    expected = page.middle("#canvas")
    assert page.middle(key + " .body") == pytest.approx(expected, abs=2)


# ---- other tapes ----


def test_the_first_nan_is_found(browser: Browser, tmp_path: Path) -> None:
    x = tn.tensor([1.0, -1.0], requires_grad=True)
    with tn.Tape() as tape, tn.scope("model"):
        (x.log() * 2.0).sum().backward()
    browser.open(tn.viz.explore(tape, tmp_path / "nan.html"))
    browser.click("#bad")
    assert "log" in heading(browser)
    assert statistics(browser, "value")["nan"] == 1
    assert browser.run("document.querySelectorAll('.alarm').length") >= 2
    browser.click("#tint label:nth-of-type(2)")
    assert browser.run("document.querySelector('.box.selected .body').getAttribute('fill')") == "#000000"


def test_names_are_text(browser: Browser, tmp_path: Path) -> None:
    evil = "<img src=x onerror='window.hit=1'></script><script>window.hit=1</script>"
    x = tn.tensor([1.0], requires_grad=True)
    with tn.Tape() as tape:
        tape.names[x._current_node()] = evil
        with tn.scope(evil):
            (x * 2.0).sum().backward()
    browser.complaints.clear()
    browser.open(tn.viz.explore(tape, tmp_path / "evil.html", title=evil))
    browser.run("goTo(0); search('img'); goToScope(scopes[1])")
    assert browser.run("window.hit") is None
    assert browser.run("document.title") == evil
    assert browser.run("document.querySelectorAll('img').length") == 0
    assert browser.complaints == []


def test_in_a_notebooks_frame(browser: Browser, recorded: Recorded, tmp_path: Path) -> None:
    path = tmp_path / "notebook.html"
    path.write_text(f"<!doctype html><meta charset=utf-8><body>{tn.viz.explore(recorded.tape)._repr_html_()}", encoding="utf-8")
    browser.complaints.clear()
    browser.open(path)
    number = recorded.number[recorded.h._current_node()]
    with browser.in_frame():
        assert boxes(browser) >= 3
        assert browser.run("document.querySelector('.box').getBoundingClientRect().height") > 10, "all in sight, and legible"
        browser.run(f"goTo({number})")
        browser.run("document.querySelector('#panel .jump a').click()")
        assert browser.run("isGradient(selected.node)"), "links work where the address cannot change"
    assert browser.complaints == []


def test_a_module_without_scopes_inside(browser: Browser, tmp_path: Path) -> None:
    net = nn.Sequential(*(nn.Linear(3, 3) for _ in range(6)))
    browser.complaints.clear()
    browser.open(tn.viz.explore(net, tmp_path / "net.html", inputs=tn.ones(2, 3)))
    assert "▸ 0…5" in titles(browser)
    browser.run("unfoldToFit(500); scopes.forEach(scope => open.add(scope.id)); draw(); fit()")
    assert boxes(browser) > 20
    assert browser.complaints == []
