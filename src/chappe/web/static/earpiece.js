// Between the browser's sound and the telephone's: 8 kHz, 16 bits, in frames of 160 samples (20 ms).
const RATE = 8000;
const FRAME = 160;
const READY = 3; // frames that are there before it plays: what comes unevenly is evened out
const MOST = 12; // more than that is delay that nobody needs
const KEPT = 4;

class Earpiece extends AudioWorkletProcessor {
  constructor() {
    super();
    this.step = RATE / sampleRate;
    this.heard = new Float32Array(RATE);
    this.first = 0;
    this.count = 0;
    this.place = 0; // between the first sample and the one after it
    this.plays = false;
    this.frame = new Int16Array(FRAME);
    this.filled = 0;
    this.sum = 0;
    this.number = 0;
    this.phase = 0;
    this.port.onmessage = ({ data }) => this.take(new Int16Array(data));
  }

  take(samples) {
    for (const sample of samples) {
      this.heard[(this.first + this.count) % RATE] = sample / 32768;
      if (this.count < RATE) this.count++; else this.first = (this.first + 1) % RATE;
    }
    if (this.count > MOST * FRAME) this.drop(this.count - KEPT * FRAME);
    if (this.count >= READY * FRAME) this.plays = true;
  }

  drop(number) {
    this.first = (this.first + number) % RATE;
    this.count -= number;
  }

  process([[input]], [[output]]) {
    if (output) this.play(output);
    if (input) this.speak(input);
    return true;
  }

  play(output) {
    for (let at = 0; at < output.length; at++) {
      if (this.count < 2) this.plays = false;
      if (!this.plays) { output[at] = 0; continue; }
      const here = this.heard[this.first], next = this.heard[(this.first + 1) % RATE];
      output[at] = here + (next - here) * this.place;
      this.place += this.step;
      if (this.place >= 1) { this.place -= 1; this.drop(1); }
    }
  }

  speak(input) {
    for (const sample of input) {
      this.sum += sample;
      this.number++;
      this.phase += this.step;
      if (this.phase < 1) continue;
      this.phase -= 1;
      this.frame[this.filled++] = Math.max(-1, Math.min(1, this.sum / this.number)) * 32767;
      this.sum = this.number = 0;
      if (this.filled < FRAME) continue;
      this.port.postMessage(this.frame.buffer, [this.frame.buffer]);
      this.frame = new Int16Array(FRAME);
      this.filled = 0;
    }
  }
}

registerProcessor("earpiece", Earpiece);
