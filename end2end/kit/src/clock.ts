import type { Kit } from './client.js';

/** The clock of this worker's server. It only ever goes forward, and other tests of the same worker go on from there. */
export class Clock {
  constructor(private readonly kit: Kit) {}

  /** What it shows, in milliseconds since 1970. */
  now(): Promise<number> {
    return this.kit.advanceClock(0);
  }

  /** Moves the clock on. */
  async advance(time: { days?: number; hours?: number; minutes?: number; seconds?: number }): Promise<void> {
    const { days = 0, hours = 0, minutes = 0, seconds = 0 } = time;
    await this.kit.advanceClock(((days * 24 + hours) * 60 + minutes) * 60 + seconds);
  }

  /**
   * Moves the clock on so that at most `seconds` of it have passed since `start` (a `Date.now()` of before, with no
   * other move since), and less than one second fewer.
   */
  async advanceToJustBefore(start: number, seconds: number): Promise<void> {
    await this.kit.advanceClock(Math.floor(seconds - (Date.now() - start) / 1000));
  }
}
