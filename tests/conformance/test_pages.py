"""The web pages of a run: well formed, linked, complete, without scripts, and small."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest

from conformance import pages, report
from conformance.compare import Change
from conformance.model import Case, Outcome, Result, observed_otherwise
from conformance.recorded import Recorded
from conformance.report import Line, Report
from conformance.target import Target
from tests.conformance.madeup import MadeUp, declare

VOID = {"meta", "link", "input", "br"}


class Page(HTMLParser):
    """Checks nesting; collects ids, links and text."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.words = ""
        self.feed(file.read_text(encoding="utf-8"))
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        given = dict(attrs)
        assert not any(name.startswith("on") for name in given)
        self.ids += [one for one in [given.get("id")] if one]
        self.links += [one for one in [given.get("href")] if one]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def holds(ws: Target) -> None:
    """It holds & is < 3 & ends."""


def made(outcome: Outcome, **fields: object) -> Result:
    return Result(outcome=outcome, **fields)  # type: ignore[arg-type]


PASSED = made(Outcome.PASS, steps=tuple(f"step number {n}" for n in range(30)), seconds=0.25)
FAILED = made(
    Outcome.FAIL,
    reason="bytes: <script>alert(1)</script> \x00\ud800",
    expected="b'five'",
    actual="b'four'",
    steps=tuple(f"step number {n}" for n in range(30)),
)


def target(name: str) -> Target:
    one = MadeUp()
    one.name = name
    return one


def sample(lines: Sequence[Line], records: Sequence[Recorded] = (), changes: Sequence[Change] = ()) -> Report:
    names = dict.fromkeys(name for line in lines for name in line.results)
    return Report([target(name) for name in names], lines, records=records, changes=changes)


@functools.cache
def whole() -> Report:
    wine = Recorded(
        name="wine-8.0",
        target="wine",
        description="Wine's ws2_32",
        date="2026-11-25",
        versions={},
        answers={
            "one.fails": made(Outcome.PASS),
            "one.passes": made(Outcome.PASS),
            "two.differs": made(Outcome.FAIL, reason="code: expected 1, got 2", expected="1", actual="2"),
        },
    )
    lines = [
        Line(
            declare(
                holds,
                "one.passes",
                requirements=["R7.3"],
                behaviours=["startup-2x"],
                source="winsock2/nf-winsock2-recv, error WSAEINTR; winsock/af-irda-2; kernel32/thread.c",
            ),
            {"emulator": PASSED, "api": PASSED},
        ),
        Line(declare(holds, "one.fails", requirements=["R7.4"]), {"emulator": FAILED, "api": PASSED}),
        Line(
            declare(holds, "two.gap", chapter="Made-up"),  # the same file name as the chapter before
            {
                "emulator": made(Outcome.GAP, reason="not written"),
                "api": made(Outcome.PASS, runs=(Outcome.PASS, Outcome.NOT_APPLICABLE)),
            },
        ),
    ]
    why = observed_otherwise("startup-2x", "grants 2.2 & no more")
    differs = declare(holds, "two.differs", chapter="Made-up", differs={"wine": why})
    lines.append(Line(differs, {"emulator": PASSED, "api": made(Outcome.NOT_APPLICABLE)}))
    changes = [Change("one.fails", "emulator", Outcome.PASS, Outcome.FAIL)]
    return sample(lines, [wine], changes)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages") / "deep" / "report"
    pages.write(whole(), folder)
    return folder


def test_every_page_is_well_formed_has_no_scripts_and_links_only_to_what_is_there(folder: Path) -> None:
    files = {file: Page(file) for file in folder.rglob("*.html")}
    assert len(files) == 3 + 2 + 1  # index, requirements and agreement, chapters, a module of cases
    for file, page in files.items():
        assert len(page.ids) == len(set(page.ids)), file
        assert not page.tags & {"script", "iframe", "img"}
        for link in page.links:
            if link.startswith("https:"):
                assert link.startswith("https://learn.microsoft.com/")
                continue
            name, _, anchor = link.partition("#")
            aim = (file.parent / name).resolve() if name else file
            assert aim.exists(), link
            if anchor:
                assert anchor in files[aim].ids, link


def test_the_matrix_has_a_row_per_case_and_a_column_per_target_and_record(folder: Path) -> None:
    index = (folder / "index.html").read_text(encoding="utf-8")
    (row,) = re.findall(r"<tr[^>]*><th><a [^>]*>one\.fails</a></th>(.*?)</tr>", index)
    assert re.findall(r"<td[^>]*>(.*?)</td>", row) == ["fail", "pass", "pass ≠"]
    (row,) = re.findall(r"<tr[^>]*><th><a [^>]*>two\.gap</a></th>(.*?)</tr>", index)
    assert re.findall(r"<td[^>]*>(.*?)</td>", row) == ["gap", "pass ↯", ""]
    assert "<th>emulator</th><th>api</th><th>wine-8.0</th>" in index


def test_the_index_begins_with_what_wants_attention(folder: Path) -> None:
    words = Page(folder / "index.html").words
    assert "Failures (1)" in words
    assert "broken one.fails on emulator: pass -> fail" in words
    assert "Against wine-8.0: unexplained (1)" in words
    assert "Different from one time to the next (1)" in words
    assert words.index("Failures (1)") < words.index("All cases")


def test_an_explained_difference_is_a_class_of_its_own_with_its_reason(folder: Path) -> None:
    index = (folder / "index.html").read_text(encoding="utf-8")
    (kinds, row) = re.findall(r'<tr class="([^"]*)"><th><a [^>]*>two\.differs</a></th>(.*?)</tr>', index)[0]
    assert kinds == "known"
    assert re.findall(r'<td class="([^"]*)">(.*?)</td>', row) == [
        ("pass", "pass"),
        ("na", "n/a"),
        ("differs", "differs"),
    ]
    (table,) = re.findall(r"<thead><tr><th>agreement</th>.*?</table>", index, re.DOTALL)
    numbers = dict(re.findall(r'<tr><th>([\w ]*)</th><td class="\w*">(\d+)</td>', table))
    assert numbers == {
        "same": "1",
        "Windows observed otherwise": "1",
        "unexplained": "1",
        "not comparable": "1",
    }
    assert "wine-8.0 answers 3 of 4 cases (75.0 %)" in index

    page = (folder / "chapters" / "made-up-1.html").read_text(encoding="utf-8")
    article = re.findall(r'<article id="two.differs">.*?</article>', page, re.DOTALL)[0]
    why = "Windows observed otherwise (startup-2x): grants 2.2 &amp; no more"
    assert f'<p class="why">{why}</p>\n<p class="what">code</p>' in article

    agreement = (folder / "agreement.html").read_text(encoding="utf-8")
    assert "grants 2.2 &amp; no more (startup-2x)" in agreement
    assert '<a href="chapters/made-up-1.html#two.differs">two.differs</a>' in agreement


def test_the_matrix_can_be_narrowed_without_scripts(folder: Path) -> None:
    index = (folder / "index.html").read_text(encoding="utf-8")
    style = (folder / "pages.css").read_text(encoding="utf-8")
    counts = dict(re.findall(r'id="show-(\w+)"(?: checked)?> [\w ]+ <small>(\d+)</small>', index))
    assert counts == {"all": "4", "bad": "1", "gap": "1", "known": "1", "odd": "1"}
    for name in set(counts) - {"all"}:
        assert f"body:has(#show-{name}:checked) .chapter tbody tr:not(.{name})" in style


def test_a_case_tells_all_that_is_known_of_it(folder: Path) -> None:
    page = (folder / "chapters" / "made-up.html").read_text(encoding="utf-8")
    passes, fails = re.findall(r"<article .*?</article>", page, re.DOTALL)
    assert "It holds &amp; is &lt; 3 &amp; ends." in passes
    assert f'href="{pages.LEARN}/api/winsock2/nf-winsock2-recv"' in passes
    assert f'href="{pages.LEARN}/winsock/af-irda-2"' in passes
    assert "; kernel32/thread.c" in passes
    assert '<a href="../requirements.html#R7.3">R7.3</a>' in passes
    assert "startup-2x" in passes
    assert "winsock2emu conformance one.passes --target emulator --target api</code>" in passes
    assert re.search(r"<h4>expected</h4><pre>b\'five\'</pre></div><div><h4>actual</h4><pre>b\'four\'</pre>", fails)
    assert r"&lt;script&gt;alert(1)&lt;/script&gt; \x00\xd800" in fails
    assert 'wine-8.0</b>\n <span class="standing">emulator: unexplained, api: same</span>' in fails
    assert '<details class="result" open>' in fails
    assert "<h4>30 steps</h4>\n<ol><li>step number 0</li>" in fails
    assert '<details class="result" open>' not in passes
    assert f"<h4>{pages.LOG} steps, {30 - pages.LOG} before these</h4>" in passes


@pytest.mark.parametrize(
    ("source", "address"),
    [
        ("winsock2/nf-winsock2-recv, parameter len", f"{pages.LEARN}/api/winsock2/nf-winsock2-recv"),
        ("WinSock/tcp-ip-raw-sockets-2", f"{pages.LEARN}/winsock/tcp-ip-raw-sockets-2"),
        ("FileIO/i-o-completion-ports", f"{pages.LEARN}/fileio/i-o-completion-ports"),
        ("github.com/jart/cosmopolitan/issues/1000, observed", "https://github.com/jart/cosmopolitan/issues/1000"),
        ("Wine's public test ws2_32/sock.c, which passes on Windows", None),
        ("Microsoft TCP/IP provider, requirement A2", None),
    ],
)
def test_a_source_links_to_the_page_it_names(source: str, address: str | None) -> None:
    found = pages.source_links(source)
    assert re.findall(r'href="([^"]*)"', found) == ([] if address is None else [address])
    assert re.sub(r"<[^>]*>", "", found) == source


def test_the_source_page_has_the_line_where_the_case_begins(folder: Path) -> None:
    case = whole().lines[0].case
    assert case.line == holds.__code__.co_firstlineno
    source = (folder / "sources" / "test_pages.html").read_text(encoding="utf-8")
    assert re.search(rf'<a id="L{case.line}">\s*{case.line}</a> def holds', source)


def test_requirements_tell_their_state_and_cases(folder: Path) -> None:
    page = (folder / "requirements.html").read_text(encoding="utf-8")
    rows = {id: re.findall(rf'<tr id="{id}">(.*?)</tr>', page)[0] for id in ("R7.3", "R7.4", "R7.5")}
    assert '<td class="pass">pass</td>' in rows["R7.3"]
    assert 'href="chapters/made-up.html#one.passes"' in rows["R7.3"]
    assert '<td class="fail">fail</td>' in rows["R7.4"]
    assert "no case" in rows["R7.5"]


def test_the_look_follows_the_reader_and_the_width(folder: Path) -> None:
    style = (folder / "pages.css").read_text(encoding="utf-8")
    assert "prefers-color-scheme: dark" in style
    assert "max-width: 40rem" in style
    for outcome in Outcome:
        assert f".{pages.name_of(outcome)} {{ background:" in style
    assert 'name="viewport"' in (folder / "index.html").read_text(encoding="utf-8")


def test_an_empty_run_has_pages(tmp_path: Path) -> None:
    pages.write(sample([]), tmp_path)
    assert "0 cases" in Page(tmp_path / "index.html").words


def many() -> list[Line]:
    """As many cases as the suite has, each with twice the call log of a real one, on three targets."""
    step = "WSARecv(1234, [bytearray(b'abcdefgh')], 0, None, None) -> (8, 0) and that is all there is to see"
    result = made(Outcome.PASS, steps=(step,) * 8, seconds=0.01)
    ids = report.sections()[0].ids

    def numbered(n: int) -> Case:
        return declare(holds, f"many.cases.n{n}", chapter=f"Chapter {n % 40}", requirements=[ids[n % len(ids)]])

    return [Line(numbered(n), dict.fromkeys(("emulator", "api", "wine"), result)) for n in range(4000)]


def test_a_full_run_stays_under_twenty_megabytes(tmp_path: Path) -> None:
    pages.write(sample(many()), tmp_path)
    sizes = [file.stat().st_size for file in tmp_path.rglob("*") if file.is_file()]
    assert sum(sizes) < 20_000_000
    assert (tmp_path / "index.html").stat().st_size < 2_000_000


BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
#: Without a network: nothing is asked for, updated or reported.
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium here")


def browsed(page: str, profile: Path, *options: str) -> str:
    """Return what Chromium, in a new profile, prints about a page."""
    assert BROWSER is not None
    command = [BROWSER, *QUIET, f"--user-data-dir={profile}", *options, page]
    return subprocess.run(command, capture_output=True, timeout=60, check=True).stdout.decode()


@needs_browser
@pytest.mark.parametrize(
    ("page", "shown"),
    [("index.html", 'class="matrix"'), ("chapters/made-up.html#one.fails", 'id="one.fails"')],
)
def test_a_browser_shows_matrix_and_case(page: str, shown: str, folder: Path, tmp_path: Path) -> None:
    address, picture = f"{folder.as_uri()}/{page}", tmp_path / "page.png"
    assert shown in browsed(address, tmp_path / "profile", "--dump-dom")
    browsed(address.partition("#")[0], tmp_path / "profile", f"--screenshot={picture}")  # scrolled, it would be empty
    assert picture.stat().st_size > 15_000  # an empty page is smaller


#: In a page beside the report: it loads a page of it in a frame of a telephone's width, and tells in its title how long
#: that took and how wide what it shows is.
PROBE = """<!DOCTYPE html><title>waits</title><iframe id="frame" style="width:390px;height:800px;border:0"></iframe>
<script>
const frame = document.getElementById("frame"), began = performance.now();
frame.onload = () => {
  const page = frame.contentDocument.documentElement;
  document.title = [Math.round(performance.now() - began), page.scrollWidth, page.clientWidth].join(" ");
};
frame.src = location.hash.slice(1);
</script>"""


def probed(folder: Path, page: str, profile: Path) -> tuple[int, int, int]:
    """Return milliseconds until a page has loaded, its width, and the width there is for it."""
    probe = folder / "probe.html"
    probe.write_text(PROBE, encoding="utf-8")
    try:
        told = browsed(f"{probe.as_uri()}#{page}", profile, "--allow-file-access-from-files", "--dump-dom")
    finally:
        probe.unlink()
    loaded, content, visible = map(int, re.findall(r"<title>(\d+) (\d+) (\d+)</title>", told)[0])
    return loaded, content, visible


@needs_browser
def test_the_matrix_of_a_full_run_loads_in_less_than_two_seconds(tmp_path: Path) -> None:
    """It takes a third of a second on two cores; the fastest of three is what a busy machine can do."""
    pages.write(sample(many()), tmp_path / "report")
    assert min(probed(tmp_path / "report", "index.html", tmp_path / "profile")[0] for _ in range(3)) < 2000


@needs_browser
@pytest.mark.parametrize("page", ["index.html", "agreement.html", "requirements.html", "chapters/made-up.html"])
def test_on_a_telephone_nothing_but_a_wide_table_scrolls_to_the_side(page: str, folder: Path, tmp_path: Path) -> None:
    _, content, visible = probed(folder, page, tmp_path / "profile")
    assert content <= visible
