"""Find circles: groups of modules, or of folders, that import each other."""

Graph = dict[str, set[str]]


def circles(graph: Graph) -> list[list[str]]:
    """Give each group of two or more in which everyone reaches everyone, sorted.

    :param graph: whom each one imports; whoever is imported must be a key, too.
    """
    found, left = [], set(graph)
    for start in sorted(graph):
        if start not in left:
            continue
        group = {one for one in reached(graph, start) if start in reached(graph, one)}
        left -= group | {start}
        if group:
            found.append(sorted(group))
    return found


def reached(graph: Graph, start: str) -> set[str]:
    """Give everyone that ``start`` imports, through others as well."""
    seen: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            waiting += graph[one]
    return seen


def reduced(graph: Graph) -> Graph:
    """Leave out each import that a way through others covers; without circles only."""
    return {
        one: {
            other
            for other in others
            if not any(other in reached(graph, between) for between in others - {other})
        }
        for one, others in graph.items()
    }
