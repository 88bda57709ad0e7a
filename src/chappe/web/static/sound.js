// The sound of telephones: what they hear is played, and one of them has the microphone: the one in hand.

const lines = new Map(); // the address of a call's sound -> its line
let context = null;
let loaded = null; // the worklet's module, on its way or there
let asked = null; // the microphone, once somebody was asked for it
let dialled = ""; // the telephone that is to be taken in hand when its call appears

async function started() {
  context ??= new AudioContext();
  loaded ??= context.audioWorklet.addModule(new URL("earpiece.js", import.meta.url));
  await loaded;
  await context.resume();
}

/** The microphone, or null where there is none or nobody lets us have it. */
function microphone() {
  asked ??= navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: true, noiseSuppression: false } })
    .then((stream) => ({ stream, source: context.createMediaStreamSource(stream) }), () => null);
  return asked;
}

// Above 3.4 kHz a telephone carries nothing; what is left there would fold into what it carries.
const narrow = () => new BiquadFilterNode(context, { type: "lowpass", frequency: 3400 });

class Line {
  constructor(address) {
    this.address = address;
    this.inHand = this.listensOnly = false;
  }

  open() {
    this.earpiece = new AudioWorkletNode(context, "earpiece", { channelCount: 1, channelCountMode: "explicit", outputChannelCount: [1] });
    this.mouthpiece = narrow();
    this.mouthpiece.connect(this.earpiece);
    this.earpiece.connect(narrow()).connect(context.destination);
    this.socket = new WebSocket(new URL(this.address, location.href.replace(/^http/, "ws")));
    this.socket.binaryType = "arraybuffer";
    this.socket.onmessage = ({ data }) => this.earpiece.port.postMessage(data, [data]);
    this.socket.onclose = () => this.close();
    this.earpiece.port.onmessage = ({ data }) => {
      if (this.inHand && this.socket.readyState === WebSocket.OPEN) this.socket.send(data);
    };
  }

  async take() {
    for (const other of lines.values()) other.layDown();
    this.inHand = true;
    const found = await microphone();
    this.listensOnly = !found;
    if (found && this.inHand) {
      found.source.disconnect();
      found.source.connect(this.mouthpiece);
    }
    show();
  }

  layDown() {
    this.inHand = false;
  }

  close() {
    if (!lines.delete(this.address)) return;
    this.socket.close();
    this.earpiece.disconnect();
    this.mouthpiece.disconnect();
    if (!lines.size) {
      asked?.then((found) => found?.stream.getTracks().forEach((track) => track.stop()));
      asked = null;
    }
    show();
  }
}

async function take(address) {
  await started();
  let line = lines.get(address);
  if (!line) {
    line = new Line(address);
    lines.set(address, line);
    line.open();
  }
  await line.take();
}

/** Tell the pages' buttons how things are; what was brought up to date meanwhile knows nothing of us. */
function show() {
  for (const button of document.querySelectorAll("[data-sound]")) {
    const line = lines.get(button.dataset.sound);
    button.setAttribute("aria-pressed", String(Boolean(line?.inHand)));
    button.toggleAttribute("data-only", Boolean(line?.inHand && line.listensOnly));
  }
}

export function soundOfTelephones() {
  if (!window.isSecureContext || !window.AudioWorkletNode) return; // pages over plain http have no microphone
  document.documentElement.classList.add("sounds");
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-sound]");
    if (!button) return;
    const line = lines.get(button.dataset.sound);
    if (line?.inHand) line.close(); else take(button.dataset.sound);
  });
  document.addEventListener("submit", (event) => {
    const pressed = event.submitter;
    if (pressed?.value === "answer") {
      const button = event.target.closest(".call")?.querySelector("[data-sound]");
      if (button) take(button.dataset.sound);
    } else if (pressed?.dataset.dials) {
      dialled = pressed.dataset.dials;
      started(); // now, because a browser lets sound begin with a click only
    }
  }, true);
  document.addEventListener("taken", () => {
    const call = dialled && document.querySelector(`#${dialled} .call.dialled [data-sound]`);
    if (call && !lines.has(call.dataset.sound)) { dialled = ""; take(call.dataset.sound); }
    show();
  });
}
