"""Examples of the stream for the API's documentation."""

from drf_spectacular.utils import OpenApiExample

EVENTS = OpenApiExample(
    "three events and a sign of life",
    value=(
        "retry: 1000\n\n"
        "id: 4711\nevent: margin\n"
        'data: {"id":4711,"kind":"margin","at":"2025-02-03T10:00:02+00:00","data":{"run":12,"snapshot":40,'
        '"as_of":"2025-02-03T10:00:00+00:00","account":88,"ledger_position":4700,"status":"normal",'
        '"net_equity":"12000.5","adjusted_equity":"11980","mmr":"3110","imr":"4043","margin_ratio":3.85}}\n\n'
        "id: 4714\nevent: margin\n"
        'data: {"id":4714,"kind":"margin","at":"2025-02-03T10:00:07+00:00","data":{"run":13,"snapshot":41,'
        '"as_of":"2025-02-03T10:00:05+00:00","account":null}}\n\n'
        "id: 4715\nevent: parameters\n"
        'data: {"id":4715,"kind":"parameters","at":"2025-02-03T10:00:08+00:00","data":{'
        '"methodology":"okx-2025","version":"2025-02-10","state":"approved","origin":"proposal",'
        '"effective_from":"2025-02-10T08:00:00+00:00","sha256":"9f2c...","restores":null}}\n\n'
        ":\n\n"
    ),
    media_type="text/event-stream",
    response_only=True,
)
