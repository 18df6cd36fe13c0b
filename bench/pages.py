"""How long the product's pages take, beside what any Django page takes.

    python bench/pages.py                           100,000 tickets, 500,000 messages
    python bench/pages.py --compare 10000 1000000   what a hundred times the tickets cost

Needs PostgreSQL. docs/benchmarks.md says how to read the numbers.
"""

import argparse
import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from client import Visitor
from server import PASSWORD, SEED, Site
from visits import PAGES, Page, Raising, Replying, Resolving, Taking, Yardstick

WARM_UP = 20
CLIENTS = 8


def main():
    options = parse()
    report = compare(options) if options.compare else measure(options)
    if options.json:
        Path(options.json).write_text(json.dumps(report, indent=1))


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tickets", type=int, default=100_000)
    parser.add_argument("--database", default="ccr_bench", help="made and filled if need be")
    parser.add_argument("--server", default="postgres://127.0.0.1:5432", help="of PostgreSQL")
    parser.add_argument("--compare", type=int, nargs=2, metavar=("SMALL", "LARGE"))
    parser.add_argument("--requests", type=int, default=200, help="for each page, one by one")
    parser.add_argument("--seconds", type=float, default=5, help=f"with {CLIENTS} clients")
    parser.add_argument("--workers", type=int, default=1, help="processes of the web server")
    parser.add_argument("--json", metavar="FILE", help="write the report there as well")
    return parser.parse_args()


# --- One size -----------------------------------------------------------------


def measure(options) -> dict:
    site = Site(options.server, options.database, options.tickets)
    site.prepare()
    with site.serve(count_queries=True) as server:
        people = sign_everybody_in(server)
        counted = {page.name: count(people, page, site) for page in PAGES}
        counted |= {w.name: counted_write(w) for w in writings(people, site)}
    report = {"tickets": site.ask("SELECT count(*) FROM tickets_ticket"), "pages": []}
    report["messages"] = site.ask("SELECT count(*) FROM tickets_ticketevent WHERE kind = 'message'")
    with site.serve(workers=options.workers) as server:
        people = {who: Visitor(server.port, person.cookies) for who, person in people.items()}
        report["memory_mib_at_start"] = round(server.memory())
        print(HEADING)
        for page in PAGES:
            add(report, page.name, counted, time_page(people[page.who], page, site, options))
        for writing in writings(people, site):
            add(report, writing.name, counted, time_writing(writing, options))
        report["memory_mib"] = round(server.memory())
    print(
        f"{report['tickets']:,} tickets, {report['messages']:,} messages. Memory of the server: "
        f"{report['memory_mib_at_start']} MiB at first, {report['memory_mib']} MiB at last."
    )
    return report


def sign_everybody_in(server) -> dict[str, Visitor]:
    people = {
        who: Visitor(server.port).sign_in(f"{who}@seed{SEED}.example.org", PASSWORD)
        for who in ("customer", "agent", "admin")
    }
    return {"": Visitor(server.port), **people}


def path_of(page: Page, site: Site) -> str:
    longest = site.ask("SELECT reference FROM tickets_ticket WHERE message_count = 101 ORDER BY id")
    return page.path.format(longest=longest)


def yardstick_of(page: Page, size: int) -> str:
    return f"/yardstick/{'' if page.who else 'public/'}?size={size}"


def writings(people: dict[str, Visitor], site: Site) -> list:
    """On tickets raised here, so that the seeded ones stay as they are."""
    raising = Raising(people["customer"], site.ask("SELECT min(id) FROM tickets_category"))
    reference = raising.write().headers["Location"].split("/")[2]
    taking = Taking(people["agent"], raising)
    return [raising, Replying(people["customer"], reference), taking, Resolving(taking)]


def count(people, page, site) -> dict:
    visitor, path = people[page.who], path_of(page, site)
    visitor.get(path)  # what is done once, like the first look at a sprite, does not count
    answer = visitor.get(path)
    assert answer.status == 200, f"{path}: {answer.status}"
    return {"queries": int(answer.headers["X-Queries"]), "bytes": len(answer.body)}


def counted_write(writing) -> dict:
    answer = writing.write()
    assert answer.status == 302, f"{writing.name}: {answer.status}"
    return {"queries": int(answer.headers["X-Queries"]), "bytes": len(answer.body)}


def time_page(visitor, page, site, options) -> dict:
    path = path_of(page, site)
    yardstick = yardstick_of(page, len(visitor.get(path).body))
    times, bare = alternately(
        partial(visitor.get, path), partial(visitor.get, yardstick), options.requests
    )
    figures = {"per_second": round(throughput(visitor, path, options.seconds), 1)}
    return compared(times, bare) | figures


def time_writing(writing, options) -> dict:
    bare = Yardstick(writing.visitor)
    return compared(*alternately(writing.write, bare.write, options.requests))


def alternately(ask, ask_other, times) -> tuple[list[float], list[float]]:
    """Milliseconds of both, asked in turn, so that a busy machine slows both alike."""
    for _ in range(WARM_UP):
        ask(), ask_other()
    pairs = [(ask(), ask_other()) for _ in range(times)]
    assert all(answer.status in (200, 302) for pair in pairs for answer in pair)
    return tuple([pair[n].seconds * 1000 for pair in pairs] for n in (0, 1))


def compared(times, bare) -> dict:
    return {
        "median_ms": round(statistics.median(times), 2),
        "p95_ms": round(statistics.quantiles(times, n=20)[-1], 2),
        "yardstick_ms": round(statistics.median(bare), 2),
        "ratio": round(statistics.median(times) / statistics.median(bare), 2),
    }


def throughput(visitor, path, seconds) -> float:
    """Answers a second to clients that ask as soon as they have got the last one."""
    end = time.perf_counter() + seconds

    def keep_asking(client):
        answers = 0
        while time.perf_counter() < end:
            client.get(path)
            answers += 1
        return answers

    clients = [Visitor(visitor.port, visitor.cookies) for _ in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as threads:
        return sum(threads.map(keep_asking, clients)) / seconds


HEADING = "{:<34}{:>9}{:>9}{:>7}{:>9}{:>9}{:>15}".format(
    "", "median", "p95", "ratio", "queries", "bytes", f"/s, {CLIENTS} at once"
)


def add(report, name, counted, timed):
    row = {"page": name, **counted[name], **timed}
    report["pages"].append(row)
    print(
        f"{name:<34}{row['median_ms']:>6.1f} ms{row['p95_ms']:>6.1f} ms{row['ratio']:>7.2f}"
        f"{row['queries']:>9}{row['bytes']:>9,}{row.get('per_second', ''):>15}",
        flush=True,
    )


# --- Two sizes ----------------------------------------------------------------


def compare(options) -> dict:
    """Every page on a small and a large database, asked in turn."""
    sites = [Site(options.server, f"{options.database}_{n}", n) for n in options.compare]
    for site in sites:
        site.prepare()
    rows = []
    with ExitStack() as stack:
        servers = [stack.enter_context(site.serve()) for site in sites]
        people = [sign_everybody_in(server) for server in servers]
        print(f"{'':<34}" + "".join(f"{n:>15,}" for n in options.compare) + f"{'growth':>9}")
        for page in PAGES:
            ask = [
                partial(everybody[page.who].get, path_of(page, site))
                for everybody, site in zip(people, sites, strict=True)
            ]
            small, large = map(statistics.median, alternately(*ask, options.requests))
            rows.append({"page": page.name, "small_ms": small, "large_ms": large})
            print(f"{page.name:<34}{small:>12.1f} ms{large:>12.1f} ms{large / small - 1:>+9.0%}")
    return {"tickets": options.compare, "pages": rows}


if __name__ == "__main__":
    main()
