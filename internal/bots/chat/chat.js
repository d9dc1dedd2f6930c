"use strict";

const limit = 8000;
const words = {
  pt: {
    fresh: "Nova conversa", online: "Online", handoff: "Uma pessoa vai continuar o atendimento",
    write: "Escreva uma mensagem", send: "Enviar", again: "Tentar de novo", options: "Respostas rápidas",
    typing: "Escrevendo…", offline: "Sem conexão. Verifique sua internet e tente de novo.",
    broken: "A resposta foi interrompida. Tente de novo.", long: "A mensagem passa de 8000 caracteres: ",
    load: "O chat não pôde ser aberto agora.", old: "A conversa anterior não está mais disponível; esta é nova.",
  },
  en: {
    fresh: "New conversation", online: "Online", handoff: "A person will take over",
    write: "Write a message", send: "Send", again: "Try again", options: "Quick replies",
    typing: "Writing…", offline: "No connection. Check your internet and try again.",
    broken: "The answer was cut off. Please try again.", long: "The message is over 8000 characters: ",
    load: "The chat can't be opened just now.", old: "The previous conversation is no longer available; this is a new one.",
  },
};
const language = (navigator.language || "pt").toLowerCase().startsWith("pt") ? "pt" : "en";
const say = words[language];
const $ = (id) => document.getElementById(id);
const log = $("log"), text = $("text"), scroller = $("scroller");

// The page may run without an origin of its own, where there is no storage; the name of the browser's tab still
// survives a reload then.
const memory = {
  key: "baas-chat:" + location.pathname + ":",
  get() {
    try { return localStorage.getItem(this.key) || ""; } catch { return window.name.startsWith(this.key) ? window.name.slice(this.key.length) : ""; }
  },
  set(id) {
    try { id ? localStorage.setItem(this.key, id) : localStorage.removeItem(this.key); } catch { window.name = id ? this.key + id : ""; }
  },
};

let info = { name: "", welcome: "", quick_replies: [] };
let conversation = memory.get();
let busy = false;
let retry = null;

function setText(el, value) {
  el.replaceChildren();
  let end = 0;
  for (const m of value.matchAll(/https?:\/\/[^\s<>"]+[^\s<>".,;:!?)]/g)) {
    const a = document.createElement("a");
    a.href = m[0];
    a.textContent = m[0];
    a.target = "_blank";
    a.rel = "noopener noreferrer";
    el.append(value.slice(end, m.index), a);
    end = m.index + m[0].length;
  }
  el.append(value.slice(end));
}

function add(role, value) {
  const li = document.createElement("li");
  li.className = role;
  setText(li, value);
  log.append(li);
  down();
  return li;
}

function down() { scroller.scrollTop = scroller.scrollHeight; }

function status(value) { $("status").textContent = value; }

function chips(list) {
  const buttons = list.map((label) => {
    const b = document.createElement("button");
    b.type = "button";
    b.textContent = label;
    b.addEventListener("click", () => ask(label));
    return b;
  });
  $("chips").replaceChildren(...buttons);
}

function problem(message, action) {
  retry = action || null;
  $("problem-text").textContent = message || "";
  $("problem").hidden = !message;
  $("again").hidden = !action;
  down();
}

function working(on) {
  busy = on;
  $("typing").hidden = !on;
  status(on ? say.typing : say.online);
  check();
  if (on) down();
}

function check() {
  const n = [...text.value].length;
  $("counter").textContent = n > limit ? say.long + n : "";
  $("send").disabled = busy || n > limit || text.value.trim() === "";
  text.style.height = "auto";
  text.style.height = text.scrollHeight + 2 + "px";
}

// Why an answer is not one, in words that help.
async function reason(response) {
  try {
    const body = await response.json();
    const field = (body.fields || body.errors || [])[0];
    return (field && field.message ? field.message : "") || body.message || body.detail || say.load;
  } catch { return say.load + " (" + response.status + ")"; }
}

// Reads server-sent events until the stream ends.
async function events(body, handle) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    for (let end; (end = rest.indexOf("\n\n")) >= 0; rest = rest.slice(end + 2)) {
      let name = "message", data = "";
      for (const line of rest.slice(0, end).split("\n")) {
        if (line.startsWith("event: ")) name = line.slice(7);
        if (line.startsWith("data: ")) data += line.slice(6);
      }
      if (data) handle(name, JSON.parse(data));
    }
  }
}

async function ask(message) {
  message = message.trim();
  if (busy || !message) return;
  problem("");
  chips([]);
  add("user", message);
  await answer(message);
}

async function answer(message) {
  problem("");
  working(true);
  let said = "", bubble = null, finished = false, failure = "";
  try {
    const response = await fetch("chat", {
      method: "POST",
      headers: { "Content-Type": "application/json", "Accept": "text/event-stream" },
      body: JSON.stringify({ conversation, message }),
    });
    if (!response.ok) {
      failure = await reason(response);
    } else {
      await events(response.body, (name, data) => {
        if (name === "delta") {
          said += data.text;
          if (!bubble) {
            bubble = add("assistant", "");
            bubble.setAttribute("aria-busy", "true");
            $("typing").hidden = true;
          }
          bubble.textContent = said;
          down();
        } else if (name === "done") {
          finished = true;
          conversation = data.conversation;
          memory.set(conversation);
          if (data.reply) {
            bubble = bubble || add("assistant", "");
            setText(bubble, data.reply);
          }
          if (data.handoff) add("note", say.handoff);
          chips(data.quick_replies || []);
        } else if (name === "error") {
          failure = data.message;
        }
      });
      if (!finished && !failure) failure = say.broken;
    }
  } catch {
    failure = navigator.onLine === false || !said ? say.offline : say.broken;
  }
  if (bubble) bubble.removeAttribute("aria-busy");
  working(false);
  $("fresh").hidden = log.children.length < 2;
  if (failure) {
    if (bubble) bubble.remove();
    problem(failure, () => answer(message));
  }
  text.focus();
}

function begin() {
  log.replaceChildren();
  if (info.welcome) add("assistant", info.welcome);
  chips(info.quick_replies);
  $("fresh").hidden = true;
}

async function open() {
  problem("");
  try {
    const response = await fetch("info");
    if (!response.ok) {
      problem(await reason(response), open);
      return;
    }
    info = await response.json();
  } catch {
    problem(say.offline, open);
    return;
  }
  document.title = info.name;
  $("name").textContent = info.name;
  $("avatar").textContent = ([...info.name.trim()][0] || "•").toUpperCase();
  status(say.online);
  begin();
  if (!conversation) return;
  try {
    const response = await fetch("chat/" + encodeURIComponent(conversation));
    if (response.ok) {
      const past = await response.json();
      for (const m of past.messages) if (m.text) add(m.role === "user" ? "user" : "assistant", m.text);
      if (past.handoff) add("note", say.handoff);
      chips([]);
      $("fresh").hidden = false;
    } else if (response.status === 404) {
      conversation = "";
      memory.set("");
      add("note", say.old);
    }
  } catch { /* the next message tells */ }
}

document.documentElement.lang = language === "pt" ? "pt-BR" : "en";
$("fresh").textContent = say.fresh;
$("send-label").textContent = say.send;
$("text-label").textContent = say.write;
$("again").textContent = say.again;
$("chips").setAttribute("aria-label", say.options);
text.placeholder = say.write;

$("composer").addEventListener("submit", (e) => {
  e.preventDefault();
  if ($("send").disabled) return;
  const message = text.value;
  text.value = "";
  check();
  ask(message);
});
text.addEventListener("input", check);
text.addEventListener("keydown", (e) => {
  if (e.key === "Enter" && !e.shiftKey && !e.isComposing) {
    e.preventDefault();
    $("composer").requestSubmit();
  }
});
$("again").addEventListener("click", () => { if (retry) retry(); });
$("fresh").addEventListener("click", () => {
  conversation = "";
  memory.set("");
  problem("");
  begin();
  text.focus();
});
check();
open();
