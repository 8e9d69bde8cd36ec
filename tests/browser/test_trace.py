from tests.browser.notebooks import SMALL
from tests.browser.lens import LensView
def test_trace(lab, warm_kernel):
    cells = ["first = 1", SMALL, "last = 2"]
    notebook = lab.open(cells, kernel=warm_kernel)
    notebook.run_all()
    view = LensView(notebook.page).settle()
    print(view.root.evaluate("r => r.cloneNode().outerHTML"))
    print(view.map(0).locator(".cl-frame").evaluate("e => {const o=[]; while(e){o.push(e.tagName+'.'+e.className+'|'+e.getAttribute('data-lm-suppress-shortcuts')); e=e.parentElement}; return o}"))
    A="document.activeElement.outerHTML.slice(0,80)"
    notebook.page.evaluate("""() => { window.ev=[]; for (const t of ['focusin','focusout','keydown']) document.addEventListener(t, e => ev.push([t, e.key??'', e.isTrusted, e.target.className.slice?.(0,60), (e.relatedTarget?.className??'').slice?.(0,60)]), true) }""")
    for place in [view.map(0).locator(".cl-frame")]:
      for key in ["x"]:
        place.focus(timeout=5000)
        print("focus", notebook.page.evaluate(A))
        notebook.page.keyboard.press(key)
        print(key, notebook.page.evaluate(A))
        notebook.page.evaluate("async () => { for (let n = 0; n < 20; n++) await new Promise(requestAnimationFrame); }")
        for e in notebook.page.evaluate("ev.splice(0)"): print("    ", e)
        print(notebook.page.evaluate(A), notebook.cells()==cells)
