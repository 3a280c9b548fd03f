import { Secret, TOTP } from 'otpauth';
import type { Clock } from './clock.js';

/** Length of a step, in seconds. */
const step = 30;
/** How many seconds of a step have to be left, so that the server is still in it when it reads the code. */
const leftAtLeast = 8;
/** Steps around the present one whose codes mean something to the server: its window and its hints, and some more. */
const meaningful = 25;

/** An authenticator app on a phone, by a library that is not ours. Its clock is the server's. */
export class AuthenticatorApp {
  private readonly totp: TOTP;
  /** The last step whose code was given out. */
  private given = 0;

  /** `secret` is base32, with or without blanks. */
  constructor(
    readonly secret: string,
    private readonly clock: Clock,
  ) {
    this.totp = new TOTP({ secret: Secret.fromBase32(secret.replace(/\s/g, '')), algorithm: 'SHA1', digits: 6, period: step });
  }

  /** A code that was not given out before: where the present one was, the clock moves on to the next. */
  async code(): Promise<string> {
    let now = await this.step();
    if (now <= this.given) {
      await this.clock.advance({ seconds: (this.given + 1 - now) * step });
      now = await this.step();
    }
    this.given = now;
    return this.codeOf(now);
  }

  /** What a phone shows whose clock is ahead by so many seconds, or behind when they are negative. */
  async shownWhenOff(seconds: number): Promise<string> {
    return this.codeOf((await this.step()) + seconds / step);
  }

  /** A well-formed code that is right at no time near; `turn` makes several different ones. */
  async wrongCode(turn = 0): Promise<string> {
    const now = await this.step();
    const right = Array.from({ length: 2 * meaningful + 1 }, (_, number) => this.codeOf(now - meaningful + number));
    for (let number = turn * 1111; ; number += 1) {
      const candidate = String(number % 1_000_000).padStart(6, '0');
      if (!right.includes(candidate)) return candidate;
    }
  }

  /** The present step; one that is about to end is waited for. */
  private async step(): Promise<number> {
    const seconds = (await this.clock.now()) / 1000;
    const left = step - (seconds % step);
    if (left >= leftAtLeast) return Math.floor(seconds / step);
    await this.clock.advance({ seconds: Math.ceil(left) });
    return Math.floor(seconds / step) + 1;
  }

  private codeOf(number: number): string {
    return this.totp.generate({ timestamp: number * step * 1000 });
  }
}
