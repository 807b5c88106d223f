// Plays 8 kHz samples at the machine's rate, and brings the microphone's down to 8 kHz.
const RATE = 8000;
const MOST = RATE / 2;   // half a second: what comes later than that is dropped
const FIRST = RATE / 10;

class Speaker extends AudioWorkletProcessor {
  constructor() {
    super();
    this.samples = [];
    this.place = 0;
    this.waits = true;
    this.port.onmessage = (event) => {
      for (const each of new Int16Array(event.data)) this.samples.push(each / 32768);
      if (this.samples.length > MOST) this.samples.splice(0, this.samples.length - FIRST);
    };
  }

  process(_inputs, outputs) {
    const out = outputs[0][0];
    const step = RATE / sampleRate;
    if (this.waits && this.samples.length >= FIRST) this.waits = false;
    if (this.waits) return true;
    for (let i = 0; i < out.length; i += 1) {
      const first = Math.floor(this.place);
      if (first + 1 >= this.samples.length) { this.waits = true; break; }
      const share = this.place - first;
      out[i] = this.samples[first] * (1 - share) + this.samples[first + 1] * share;
      this.place += step;
    }
    const used = Math.floor(this.place);
    this.samples.splice(0, used);
    this.place -= used;
    return true;
  }
}

class Mouth extends AudioWorkletProcessor {
  constructor() {
    super();
    this.sum = 0;
    this.count = 0;
    this.place = 0;
    this.frame = new Int16Array(160);
    this.filled = 0;
  }

  process(inputs) {
    const input = inputs[0][0];
    if (!input) return true;
    for (const each of input) {
      this.sum += each;
      this.count += 1;
      this.place += RATE / sampleRate;
      if (this.place < 1) continue;
      this.place -= 1;
      this.frame[this.filled++] = Math.max(-32768, Math.min(32767, Math.round((this.sum / this.count) * 32767)));
      this.sum = 0;
      this.count = 0;
      if (this.filled === this.frame.length) {
        this.port.postMessage(this.frame.slice().buffer);
        this.filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("speaker", Speaker);
registerProcessor("mouth", Mouth);
