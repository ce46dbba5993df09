"""What Prometheus asks for, in its text format."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from reelremix.daemon.protocol import Status


def metrics_text(status: Status) -> str:
    """Everything that is counted, as it is now."""
    registry = CollectorRegistry()

    def gauge(name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"reelremix_{name}", meaning, labels, registry=registry)

    jobs = gauge("jobs", "Jobs that are kept, by state.", "state")
    for state, number in status.jobs.items():
        jobs.labels(state).set(number)
    gauge("jobs_under_way", "Jobs that are worked on.").set(len(status.under_way))
    gauge("uptime_seconds", "Since the daemon began.").set(status.uptime_s)
    gauge("memory_bytes", "Of the daemon itself.").set(status.rss_mb * 1e6)
    gauge("workers_memory_bytes", "Of its processes together.").set(status.held_mb * 1e6)
    gauge("workers_memory_limit_bytes", "What they may take.").set(status.limit_mb * 1e6)
    gauge("listeners", "Who follows events.").set(status.listeners)
    workers = gauge("workers", "Processes, by what they do and if they are lent.", "role", "is")
    for role in ("hear", "work"):
        own = [one for one in status.workers if one["role"] == role and one["pid"] is not None]
        workers.labels(role, "busy").set(sum(one["step"] is not None for one in own))
        workers.labels(role, "idle").set(sum(one["step"] is None for one in own))
    free = gauge("gpu_free_bytes", "Free memory of a GPU.", "gpu")
    for device in status.gpus:
        free.labels(device["id"]).set(device["free_mb"] * 1e6)
    return generate_latest(registry).decode()
