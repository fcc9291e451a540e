// Time spent on a question: it runs while the page is in sight and nothing else has stopped it.

export class Clock {
  #spent = 0;
  #since = null;
  #stops = new Set(["unset"]);

  constructor() {
    const look = () => this.stop("hidden", document.visibilityState !== "visible");
    document.addEventListener("visibilitychange", look);
    look();
  }

  set(seconds) {
    this.#spent = seconds;
    this.#since = this.#stops.size ? null : performance.now();
    this.stop("unset", false);
  }

  stop(reason, on = true) {
    if (this.#since !== null) this.#spent += (performance.now() - this.#since) / 1000;
    if (on) this.#stops.add(reason); else this.#stops.delete(reason);
    this.#since = this.#stops.size ? null : performance.now();
  }

  get seconds() {
    const running = this.#since === null ? 0 : (performance.now() - this.#since) / 1000;
    return this.#spent + running;
  }
}
