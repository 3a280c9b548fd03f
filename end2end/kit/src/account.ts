import type { AuthenticatorApp } from './authenticator.js';
import type { NewAccount, NewCompany } from './client.js';

/** A company of a test's own. */
export type Company = NewCompany;

/** An account of a test's own. */
export interface Account extends NewAccount {
  /** Its identifier, as in addresses of the console. */
  id: string;
  /** The phone of its owner, where it has an authenticator app. */
  app?: AuthenticatorApp;
  /** Its backup codes, where it has an authenticator app. */
  backupCodes: string[];
}

/** The phone of somebody who is known to have one. */
export function appOf(account: Account): AuthenticatorApp {
  if (!account.app) throw new Error(`${account.account} has no authenticator app`);
  return account.app;
}
