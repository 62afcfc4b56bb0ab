"""How Unfold dresses the console: its name, its style sheets and script, where its search and sidebar are."""

from typing import Any


def unfold(static: str) -> dict[str, Any]:
    """Unfold's settings; `static` is the address of the console's own files."""
    return {
        "SITE_TITLE": "Portfolio margin",
        "SITE_HEADER": "Portfolio margin",
        "SITE_SYMBOL": "monitoring",
        "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": f"{static}/icon.svg"}],
        "SITE_URL": "/admin/",
        "SHOW_HISTORY": False,
        "STYLES": [f"{static}/{sheet}.css" for sheet in ("console", "charts", "pages")],
        "SCRIPTS": [f"{static}/console.js"],
        "COMMAND": {"search_callback": "pmplatform.console.search.results"},
        "SIDEBAR": {"command_search": True, "navigation": "pmplatform.console.navigation.sidebar"},
    }
