import type { Mail } from './client.js';
import type { Labels } from './labels.js';

/** The value behind a label in a mail with account details. */
export function detailOf(mail: Mail, label: string): string {
  const value = mail.text.split(`${label}: `)[1]?.split(' ')[0];
  if (!value) throw new Error(`no ${label} in: ${mail.text}`);
  return value;
}

/** The temporary password in a mail with account details. */
export function temporaryPasswordOf(mail: Mail, labels: Labels): string {
  return detailOf(mail, labels.mail.details_password);
}

/** The link in a mail, as a path of the server. */
export function linkOf(mail: Mail): string {
  if (!mail.link) throw new Error(`no link in: ${mail.subject}`);
  return new URL(mail.link).pathname;
}
