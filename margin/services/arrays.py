"""Risk arrays, kept under the hash of what they are computed from."""

from margin.codec import decode_arrays
from margin.engine.hashing import sha256_of
from margin.engine.market import Market
from margin.engine.parameters.library import Parameters
from margin.engine.pipeline import stress_unit
from margin.engine.report import ENGINE_VERSION
from margin.engine.risk_arrays import RiskArrays
from margin.engine.units import RiskUnit
from margin.models import MarketSnapshot
from margin.services.blobs import blob_read


def arrays_key(snapshot_sha256: str, parameters_sha256: str, name: str, unit: str) -> str:
    """The content key of a unit's risk arrays: a hash over everything they are computed from."""
    return sha256_of([snapshot_sha256, parameters_sha256, name, unit, ENGINE_VERSION])


def unit_arrays(
    *, snapshot: MarketSnapshot, market: Market, unit: RiskUnit, parameters: Parameters
) -> RiskArrays:
    """A unit's stored risk arrays; computed anew where they are gone, since a store is only a cache."""
    header = parameters.header
    key = arrays_key(snapshot.sha256, header.sha256, header.methodology, unit.name)
    content = blob_read(key=key)
    if content is None:
        return stress_unit(market, unit, parameters)
    return decode_arrays(content, unit)
