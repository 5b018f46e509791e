// <boatswain-logs>: a component's log in a page of the platform, in a frame of the log server's.
//
//   <script src="https://logs.example/boatswain-logs.js"></script>
//   <boatswain-logs token="bst_..." app="shop/cart" last="1h"></boatswain-logs>
//
// Attributes: token; app, container, level (several with commas); text; query (LogQL in their place); last, like 15m;
// theme (light, dark). A colour of the page follows the platform's style: --boatswain-accent, -ground, -raised, -edge,
// -ink, -quiet. The event "boatswain-expired" asks for a new token: set the attribute again. docs/operate/embed.md
(() => {
    const server = new URL(document.currentScript.src).origin;
    const colours = ["accent", "on-accent", "ground", "raised", "edge", "ink", "quiet"];

    class Logs extends HTMLElement {
        static observedAttributes = ["token", "theme"];
        #frame = null;
        #listen = (event) => {
            if (event.source !== this.#frame?.contentWindow || event.origin !== server) return;
            if (event.data?.boatswain === "ready") this.#tell();
            if (event.data?.boatswain === "expired") this.#expired();
        };
        // A server that refuses new tokens too is not asked for them without end.
        #asked = -Infinity;
        #expired() {
            const pause = this.#asked + 5000 - performance.now();
            if (pause > 0) return void setTimeout(() => this.#frame && this.#expired(), pause);
            this.#asked = performance.now();
            this.dispatchEvent(new CustomEvent("boatswain-expired", { bubbles: true }));
        }

        connectedCallback() {
            const question = new URLSearchParams();
            for (const name of ["app", "container", "level"])
                for (const one of (this.getAttribute(name) ?? "").split(","))
                    if (one.trim()) question.append(name, one.trim());
            for (const name of ["text", "query", "last"])
                if (this.getAttribute(name)) question.set(name, this.getAttribute(name));
            const frame = document.createElement("iframe");
            frame.src = `${server}/embed#${question}`;
            frame.title = this.getAttribute("title") || "Logs";
            frame.style.cssText = "border:0;width:100%;height:100%;display:block";
            frame.allow = "clipboard-write";
            if (!this.style.display) this.style.display = "block";
            if (!this.style.height) this.style.height = "30rem";
            this.#frame = frame;
            addEventListener("message", this.#listen);
            this.replaceChildren(frame);
        }

        disconnectedCallback() {
            removeEventListener("message", this.#listen);
            this.#frame = null;
        }

        attributeChangedCallback() {
            this.#tell();
        }

        // The token goes to the server's own page, and nowhere else.
        #tell() {
            if (!this.#frame?.contentWindow) return;
            const style = getComputedStyle(this);
            const theme = {};
            for (const name of colours) {
                const colour = style.getPropertyValue(`--boatswain-${name}`).trim();
                if (colour) theme[name] = colour;
            }
            const said = { token: this.getAttribute("token"), theme: this.getAttribute("theme"), colours: theme };
            this.#frame.contentWindow.postMessage({ boatswain: said }, server);
        }
    }
    customElements.define("boatswain-logs", Logs);
})();
