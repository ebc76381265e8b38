/** Of each session a set of slots, as bits. Without slots it takes no room, and holds none. */

export class SlotSets {
  #bits = new Uint32Array(0);
  #sessions = 0;
  /** Words of one set. */
  #words = 0;

  has(session: number, slot: number): boolean {
    if (slot >> 5 >= this.#words) return false;
    return ((this.#bits[session * this.#words + (slot >> 5)] as number) & (1 << (slot & 31))) !== 0;
  }

  add(session: number, slot: number): void {
    if (slot >> 5 >= this.#words) return;
    const at = session * this.#words + (slot >> 5);
    this.#bits[at] = (this.#bits[at] as number) | (1 << (slot & 31));
  }

  remove(session: number, slot: number): void {
    if (slot >> 5 >= this.#words) return;
    const at = session * this.#words + (slot >> 5);
    this.#bits[at] = (this.#bits[at] as number) & ~(1 << (slot & 31));
  }

  clear(session: number): void {
    for (let word = 0; word < this.#words; word++) this.#bits[session * this.#words + word] = 0;
  }

  growSessions(sessions: number): void {
    const wider = new Uint32Array(sessions * this.#words);
    wider.set(this.#bits);
    this.#bits = wider;
    this.#sessions = sessions;
  }

  /** Never takes room away. */
  growSlots(slots: number): void {
    const words = Math.ceil(slots / 32);
    if (words <= this.#words) return;
    const wider = new Uint32Array(this.#sessions * words);
    for (let session = 0; session < this.#sessions; session++) {
      for (let word = 0; word < this.#words; word++) {
        wider[session * words + word] = this.#bits[session * this.#words + word] as number;
      }
    }
    this.#bits = wider;
    this.#words = words;
  }
}
