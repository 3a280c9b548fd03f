import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type agents from '../locales/en/agents.json';
import type applications from '../locales/en/applications.json';
import type audit from '../locales/en/audit.json';
import type common from '../locales/en/common.json';
import type company from '../locales/en/company.json';
import type console from '../locales/en/console.json';
import type errors from '../locales/en/errors.json';
import type imports from '../locales/en/import.json';
import type mail from '../locales/en/mail.json';
import type mailServer from '../locales/en/mail_server.json';
import type mailbox from '../locales/en/mailbox.json';
import type oauth from '../locales/en/oauth.json';
import type profile from '../locales/en/profile.json';
import type recovery from '../locales/en/recovery.json';
import type signIn from '../locales/en/sign_in.json';
import type sso from '../locales/en/sso.json';
import type time from '../locales/en/time.json';

/** The words of one language, by file: a misspelt key does not compile. */
export interface Labels {
  agents: typeof agents;
  applications: typeof applications;
  audit: typeof audit;
  common: typeof common;
  company: typeof company;
  console: typeof console;
  errors: typeof errors;
  imports: typeof imports;
  mail: typeof mail;
  mailServer: typeof mailServer;
  mailbox: typeof mailbox;
  oauth: typeof oauth;
  profile: typeof profile;
  recovery: typeof recovery;
  signIn: typeof signIn;
  sso: typeof sso;
  time: typeof time;
}

const folder = join(import.meta.dirname, '..', 'locales');

/** Tags of all languages on offer: drafts are not. */
export const languages: string[] = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !existsSync(join(folder, entry.name, 'draft')))
  .map((entry) => entry.name)
  .sort();

/**
 * The language that nobody speaks, where `cargo xtask locales pseudo` has made it and drafts are offered: the variable of the
 * environment by which the server is built with them tells it here too. None in every other run.
 */
export const pseudo: string[] = process.env['VESTIBULE_TRANSLATOR'] === undefined ? [] : ['en-XA'].filter((tag) => existsSync(join(folder, tag)));

const known = new Map<string, Labels>();
/** The language of a file of words. */
const languageOf = new WeakMap<object, string>();

/** The words of `language`, from `locales/`. */
export function labelsOf(language: string): Labels {
  let labels = known.get(language);
  if (!labels) {
    const read = (file: string) => JSON.parse(readFileSync(join(folder, language, `${file}.json`), 'utf8'));
    labels = {
      agents: read('agents'),
      applications: read('applications'),
      audit: read('audit'),
      common: read('common'),
      company: read('company'),
      console: read('console'),
      errors: read('errors'),
      imports: read('import'),
      mail: read('mail'),
      mailServer: read('mail_server'),
      mailbox: read('mailbox'),
      oauth: read('oauth'),
      profile: read('profile'),
      recovery: read('recovery'),
      signIn: read('sign_in'),
      sso: read('sso'),
      time: read('time'),
    };
    known.set(language, labels);
    for (const file of Object.values(labels)) languageOf.set(file, language);
  }
  return labels;
}

const placeholder = /\{\{\s*(\w+)\s*\}\}/g;

const rightToLeft = /[\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufefc]/;
const leftToRight = /[A-Za-z\u00c0-\u058f\u0900-\u1fff\u2c00-\ud7ff]/;

/** A value as it stands in a sentence: between marks where it is written in the other direction, or would be turned around. */
function isolate(sentence: string, value: string): string {
  const bare = value.replace(/\u2068[^\u2069]*\u2069/g, '');
  const marks = rightToLeft.test(sentence)
    ? leftToRight.test(bare) || (!rightToLeft.test(bare) && /\d/.test(bare) && /\D/.test(bare))
    : rightToLeft.test(bare);
  return marks ? `\u2068${value}\u2069` : value;
}

/** A sentence with its placeholders filled; other values are left over. */
export function fill(sentence: string, values: object): string {
  return sentence.replace(placeholder, (_, name: string) => {
    const value = (values as Record<string, unknown>)[name];
    if (typeof value !== 'string' && typeof value !== 'number') throw new Error(`no value for {{ ${name} }} in: ${sentence}`);
    return isolate(sentence, String(value));
  });
}

/** A sentence as a pattern: each placeholder stands for anything and is a group of its own. */
export function pattern(sentence: string): RegExp {
  const parts = sentence.split(/\{\{\s*\w+\s*\}\}/);
  return new RegExp(parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('(.+)'));
}

/** The keys of a file that have a form for each group of numbers: `changed` for `changed_one` and `changed_other`. */
type Counted<File> = { [Key in keyof File]: Key extends `${infer Base}_other` ? (`${Base}_one` extends keyof File ? Base : never) : never }[keyof File];

/** A sentence with a number on which a noun depends, such as `counted(labels.agents, 'changed', 2)`. */
export function counted<File extends object>(file: File, key: Counted<File>, count: number, values: object = {}): string {
  const form = new Intl.PluralRules(languageOf.get(file)).select(count);
  const forms = file as Record<string, string>;
  const sentence = forms[`${key}_${form}`] ?? forms[key];
  if (sentence === undefined) throw new Error(`no form ${form} of ${key}`);
  return fill(sentence, { count, ...values });
}

/** The keys of a file without their forms, which differ from language to language. */
export function keysOf(file: object): string[] {
  return [...new Set(Object.keys(file).map((key) => key.replace(/_(?:zero|one|two|few|many|other)$/, '')))].sort();
}

/** A wait in words, as pages and mails say it: above two minutes in whole minutes, above two hours in whole hours. */
export function wait({ time }: Labels, seconds: number): string {
  const two = (longer: 'minutes' | 'hours', shorter: 'seconds' | 'minutes', count: number): string => {
    const [more, less] = [Math.floor(count / 60), count % 60];
    if (more === 0) return counted(time, shorter, less);
    if (less === 0) return counted(time, longer, more);
    return fill(time.two_units, { longer: counted(time, longer, more), shorter: counted(time, shorter, less) });
  };
  if (seconds <= 120) return two('minutes', 'seconds', seconds);
  const minutes = Math.ceil(seconds / 60);
  if (minutes <= 120) return two('hours', 'minutes', minutes);
  return counted(time, 'hours', Math.ceil(minutes / 60));
}

/** The seconds of a wait in words, at most a day. */
export function seconds(labels: Labels, words: string): number {
  for (let count = 0; count <= 86_400; count += count < 120 ? 1 : count < 7200 ? 60 : 3600) if (wait(labels, count) === words) return count;
  throw new Error(`no time in: ${words}`);
}
