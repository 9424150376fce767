"""What tests do with the values of every room, whatever they are made of."""

import dataclasses

import msgspec


def replace(value, **changes):
    """Give another value with these fields changed."""
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.replace(value, **changes)
    return dataclasses.replace(value, **changes)


def deliver(session, link, frame, now_s):
    """Hand a session of the pair what a link brought, as a run does."""
    content = session.judge(link, frame, now_s)
    return session.decision if content is None else session.take(content, now_s)
