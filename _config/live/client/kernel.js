/* A kernel for one page: taken when it is needed, kept over reloads and lost connections.

   `run(code, listen)` sends code and calls `listen(type, content)` for each message that
   the kernel answers with; its promise says how it ended: "ok", "error", or "dead" when
   the kernel has gone. What changes in between is told by `changed(state)`:

     none → starting → idle ⇄ busy          lost: no connection, another try will come
                                             dead: the kernel has ended, its state is gone
                                             locked: the server knows this browser no more */

const FIRST_WAIT = 300;
const LONGEST_WAIT = 5000;
const SILENCE = 20_000; // after so long without a message a connection may be dead
const ANSWER = 4000; // so long a living kernel's control thread may take to say so

const later = (time) => new Promise((resolve) => setTimeout(resolve, time));

export class Kernel {
  constructor(base, page, changed) {
    this.base = base;
    this.page = page;
    this.changed = changed;
    this.state = "none";
    this.waiting = new Map(); // by the id of the message that is being answered
    this.heard = 0;
    this.place = `live-kernel ${location.pathname}`;
    const wake = () => document.hidden || this.wake();
    document.addEventListener("visibilitychange", wake);
    addEventListener("online", wake);
  }

  set(state) {
    if (this.state === state) return;
    this.state = state;
    this.changed(state);
  }

  /* ------------------------------------------------------------------ requests */

  async ask(path, method = "GET", body = undefined) {
    return fetch(this.base + path, {
      method,
      headers: method === "GET" ? {} : { "X-XSRFToken": this.xsrf },
      body: body && JSON.stringify(body),
      redirect: "manual", // to the login: this browser is not known any more
    });
  }

  /* What the page needs to know; also the token without which no request is taken. */
  async learn() {
    const answer = await this.ask(`page/${this.page}`);
    if (answer.type === "opaqueredirect") throw new Refusal("locked");
    if (!answer.ok) throw new Refusal(await answer.text());
    const known = await answer.json();
    this.xsrf = known.xsrf;
    return known.hidden;
  }

  async send(path, method, body) {
    let answer = await this.ask(path, method, body);
    if (answer.status === 403) {
      // The server has started anew, and with it the token.
      await this.learn();
      answer = await this.ask(path, method, body);
    }
    if (answer.type === "opaqueredirect") throw new Refusal("locked");
    if (!answer.ok && answer.status !== 404) throw new Refusal((await answer.text()).trim());
    return answer;
  }

  /* ------------------------------------------------------- the kernel of this page */

  /* The one that this tab had before it was reloaded, if it still lives; or a new one. */
  async ready() {
    if (this.socket?.readyState === WebSocket.OPEN) return;
    this.starting ??= this.start().finally(() => (this.starting = null));
    await this.starting;
  }

  async start() {
    this.set("starting");
    try {
      const kept = JSON.parse(sessionStorage.getItem(this.place) ?? "null");
      if (kept && (await own(kept.id)) && (await this.ask(`kernels/${kept.id}`)).status === 204) {
        [this.id, this.session] = [kept.id, kept.session];
      } else {
        await this.take();
      }
      await this.connect();
    } catch (error) {
      this.set(error instanceof Refusal && error.message === "locked" ? "locked" : "none");
      throw error;
    }
  }

  async take(instead) {
    const answer = await this.send("kernels", "POST", { instead });
    this.id = (await answer.json()).id;
    this.session = crypto.getRandomValues(new Uint32Array(4)).join("-");
    sessionStorage.setItem(this.place, JSON.stringify({ id: this.id, session: this.session }));
    await own(this.id);
  }

  /* A fresh kernel in place of this one: at once, since one stands ready. */
  async restart() {
    const old = this.id;
    this.id = null;
    this.drop();
    this.end("dead");
    this.set("starting");
    try {
      await this.take(old);
      await this.connect();
    } catch (error) {
      this.set("none");
      throw error;
    }
  }

  async interrupt() {
    await this.send(`kernels/${this.id}/interrupt`, "POST");
  }

  /* ------------------------------------------------------------------ the channel */

  connect() {
    const address = new URL(`${this.base}kernels/${this.id}/channels`, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    address.searchParams.set("session_id", this.session);
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(address);
      socket.onopen = () => {
        this.socket = socket;
        this.heard = Date.now();
        this.set(this.waiting.size ? "busy" : "idle");
        resolve();
      };
      socket.onmessage = ({ data }) => typeof data === "string" && this.hear(JSON.parse(data));
      socket.onclose = () => {
        reject(new Refusal("the connection to the kernel cannot be opened"));
        if (this.socket === socket) this.lose();
      };
    });
  }

  drop() {
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  /* Try again, more and more seldom, until there is a connection or no kernel. */
  async lose() {
    this.drop();
    if (this.state === "dead" || !this.id) return;
    this.set("lost");
    const id = this.id;
    for (let wait = FIRST_WAIT; this.id === id && this.state === "lost"; ) {
      await Promise.race([later(wait), new Promise((resolve) => (this.hurry = resolve))]);
      wait = Math.min(2 * wait, LONGEST_WAIT);
      try {
        const answer = await this.ask(`kernels/${id}`);
        if (this.id !== id) return;
        if (answer.status === 204) return await this.connect();
        if (answer.type === "opaqueredirect") return this.set("locked");
        if (answer.status === 404) return this.die();
      } catch {} // no server: try again
    }
  }

  die() {
    this.id = null;
    sessionStorage.removeItem(this.place);
    this.drop();
    this.end("dead");
    this.set("dead");
  }

  /* The machine may have slept: is anyone there? */
  wake() {
    if (this.state === "lost") return this.hurry?.();
    if (this.socket?.readyState !== WebSocket.OPEN || Date.now() - this.heard < SILENCE) return;
    const asked = Date.now();
    this.post("kernel_info_request", {}, "control");
    setTimeout(() => this.heard < asked && this.socket && this.lose(), ANSWER);
  }

  post(type, content, channel = "shell") {
    const id = crypto.getRandomValues(new Uint32Array(4)).join("-");
    const header = {
      msg_id: id,
      session: this.session,
      username: "",
      msg_type: type,
      version: "5.3",
      date: new Date().toISOString(),
    };
    this.socket.send(JSON.stringify({ channel, header, parent_header: {}, metadata: {}, content }));
    return id;
  }

  hear(message) {
    this.heard = Date.now();
    const { msg_type: type, parent_header: parent, content } = message;
    if (type === "status" && content.execution_state === "dead") return this.die();
    const one = this.waiting.get(parent?.msg_id);
    if (!one) return;
    if (type === "execute_reply" || type === "complete_reply") one.reply = content;
    else if (type === "status") one.idle = content.execution_state === "idle";
    else one.listen?.(type, content);
    // The reply and the outputs come on two ways; the last output is before "idle".
    if (!one.reply || !(one.idle || type === "complete_reply")) return;
    this.waiting.delete(parent.msg_id);
    this.set("idle");
    one.resolve(one.reply);
  }

  end(status) {
    for (const one of this.waiting.values()) one.resolve({ status });
    this.waiting.clear();
  }

  answerTo(id, listen) {
    return new Promise((resolve) => this.waiting.set(id, { listen, resolve }));
  }

  /* Run code; the kernel is taken if there is none. */
  async run(code, listen) {
    return (await this.execute({ code, silent: false, store_history: true }, listen)).status;
  }

  /* The value of an expression that gives JSON; it leaves no trace in the kernel. */
  async value(expression) {
    const asked = { code: "", silent: true, store_history: false, user_expressions: { it: expression } };
    const reply = await this.execute(asked);
    return reply.user_expressions?.it.data?.["application/json"];
  }

  async execute(content, listen) {
    await this.ready();
    const request = { allow_stdin: false, stop_on_error: true, ...content };
    const done = this.answerTo(this.post("execute_request", request), listen);
    this.set("busy");
    return done;
  }

  /* Names that fit at a place of the code; none while the kernel has something to do. */
  async complete(code, position) {
    if (this.state !== "idle") return null;
    const id = this.post("complete_request", { code, cursor_pos: position });
    return Promise.race([this.answerTo(id), later(2000).then(() => this.waiting.delete(id) && null)]);
  }
}

/* The server's no: its reason, in words for the reader. */
export class Refusal extends Error {}

/* A tab that was duplicated knows the kernel of the other, which it must not share. */
async function own(id) {
  if (!navigator.locks) return true;
  return new Promise((resolve) => {
    navigator.locks.request(`live-kernel ${id}`, { ifAvailable: true }, (lock) => {
      resolve(Boolean(lock));
      return lock && new Promise(() => {}); // until the tab is closed
    });
  });
}
