"""VS Code's own widget manager, in a page like the one that it shows outputs in, on a real Python process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template
from typing import ClassVar
from urllib.parse import urlsplit

import anywidget
from playwright.sync_api import Browser, Page, Route

from tests.browser.guards import Guard
from tests.browser.hosts.host import Host
from tests.browser.hosts.packages import package_file
from tests.browser.notebooks import BELOW, SMALL
from tests.browser.python import Python
from tests.browser.server import JupyterServer, serve

HERE = Path(__file__).parent
CELLS = (SMALL, "lens", BELOW)


class VSCode(Host):
    name = "vscode"
    title = "VS Code"
    tells_of_restart = False
    #: Content security policy of the page; VS Code has none unless a user asks for it.
    policy: ClassVar[str] = ""

    def __init__(self, server: JupyterServer, page: Page, guard: Guard) -> None:
        self.page = page
        self._server = server
        self._python_id = server.start_python()
        self.run_again()
        self._client = Python(server.connection_file(self._python_id))
        super().__init__(page, self._client, guard)

    @classmethod
    @contextmanager
    def open(cls, browser: Browser, folder: Path) -> Iterator[VSCode]:
        with serve(folder) as server:
            page, guard = cls.visit(browser)
            # A page that was answered by the test is from nowhere, and may not talk to this machine unasked.
            page.context.grant_permissions(["local-network-access"])
            page.route(f"{server.url}/outputs/**", cls._answer)
            page.goto(f"{server.url}/outputs/index.html")
            page.wait_for_function("() => window.ready")
            host = cls(server, page, guard)
            yield host
            page.context.close()
            host._client.close()
            server.stop_python(host._python_id)

    def set_theme(self, dark: bool) -> None:
        kind = "vscode-dark" if dark else "vscode-light"
        mark = "kind => { document.body.className = kind; document.body.dataset.vscodeThemeKind = kind; }"
        self.page.evaluate(mark, kind)

    def restart(self) -> None:
        self._server.api("POST", f"kernels/{self._python_id}/restart")
        self.page.evaluate("() => window.disconnect()")

    def wait_for_output(self, picture: str) -> None:
        held = "picture => window.saved().some(data => data['image/png']?.trim() === picture)"
        self.page.wait_for_function(held, arg=picture)

    def run_again(self) -> None:
        self.page.evaluate("([id, token]) => window.connect(id, token)", [self._python_id, self._server.token])
        for number, code in enumerate(CELLS):
            self.page.evaluate("([code, cell]) => window.run(code, cell)", [code, f"cell-{number}"])

    @classmethod
    def _answer(cls, route: Route) -> None:
        if urlsplit(route.request.url).path.endswith("/index.html"):
            policy = f'<meta http-equiv="Content-Security-Policy" content="{cls.policy}">' if cls.policy else ""
            page = Template((HERE / "vscode.html").read_text("utf-8")).substitute(policy=policy)
            route.fulfill(body=page, content_type="text/html")
        else:
            answer_script(route)


def answer_script(route: Route) -> None:
    """Answer for a script of the page: VS Code's manager, what it needs, and what replaces the rest of VS Code."""
    files = {
        "outputs.js": HERE / "vscode.js",
        "require.js": package_file("requirejs", "require.js"),
        "services.js": package_file("@jupyterlab/services", "dist/dist/index.js"),
        "ipywidgets.js": package_file("@vscode/jupyter-ipywidgets8", "dist/ipywidgets.js"),
        "anywidget.js": Path(anywidget.__file__).parent / "nbextension" / "index.js",
    }
    name = urlsplit(route.request.url).path.rsplit("/", 1)[1]
    route.fulfill(path=files[name], content_type="text/javascript")


class VSCodeStrict(VSCode):
    name = "vscode-csp"
    title = "VS Code's content security policy"
    #: Of the icons that come with VS Code's own bundle.
    own_errors = (r"^Loading the font 'data:",)
    #: That of `notebook.experimental.enableCsp`, and what this page cannot do without: `blob:` for scripts, since
    #: anywidget imports every widget from there, and a socket to Python, which VS Code has outside of the page.
    policy = (
        "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' https: http: data:; font-src 'self' https:; connect-src https: 'self'; child-src https: data:"
    )
