// Sound: what the headset hears to an AudioWorklet, and the microphone back; 8 kHz, 16 bits.
const RATE = 8000;

export class Sound {
  constructor(base, tell) {
    this.base = base;
    this.tell = tell;
    this.microphone = false;
    this.context = null;
    this.socket = null;
    this.stream = null;
  }

  async open() {
    if (this.context) return;
    this.context = new AudioContext();
    await this.context.audioWorklet.addModule("/play-static/worklet.js");
    this.speaker = new AudioWorkletNode(this.context, "speaker", { numberOfInputs: 0, outputChannelCount: [1] });
    this.connect();
  }

  connect() {
    this.socket = new WebSocket(`${this.base}/sound`);
    this.socket.binaryType = "arraybuffer";
    this.socket.addEventListener("message", (event) => this.speaker.port.postMessage(event.data, [event.data]));
    this.socket.addEventListener("close", (event) => {
      if (event.code !== 1008 && event.code !== 1009) setTimeout(() => this.connect(), 2000);
    });
  }

  async listen() {
    try {
      await this.open();
    } catch (error) {
      this.tell(`No sound here: ${error.message}`);
      return false;
    }
    this.listening = !this.listening;
    if (this.listening) this.speaker.connect(this.context.destination);
    else this.speaker.disconnect();
    await this.context.resume();
    return this.listening;
  }

  async useMicrophone() {
    if (this.stream) {
      for (const track of this.stream.getTracks()) track.stop();
      this.source.disconnect();
      this.stream = null;
      this.microphone = false;
      this.tell("A recorded phrase is said for you.");
      return false;
    }
    try {
      if (!navigator.mediaDevices) throw new Error("a microphone needs https, or this machine itself");
      this.stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: true } });
      await this.open();
    } catch (error) {
      this.stream = null;
      this.tell(`No microphone: ${error.message}. A recorded phrase is said for you.`);
      return false;
    }
    this.source = this.context.createMediaStreamSource(this.stream);
    this.mouth = this.mouth || new AudioWorkletNode(this.context, "mouth", { numberOfOutputs: 0 });
    this.mouth.port.onmessage = (event) => {
      if (this.microphone && this.socket.readyState === WebSocket.OPEN) this.socket.send(event.data);
    };
    this.source.connect(this.mouth);
    await this.context.resume();
    this.microphone = true;
    this.tell(`Your microphone is open: you are heard whenever you are through. ${RATE / 1000} kHz.`);
    return true;
  }
}
