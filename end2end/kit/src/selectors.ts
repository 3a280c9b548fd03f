/**
 * What can be found on Vestibule's pages without their words, in every language, with scripts and without: fields by the
 * name that they are sent by, forms by where they are posted to. Part of the contract: what goes or changes here is a new
 * major version. Vestibule's own suite finds each of them, once.
 */
export const selectors = {
  /** Every page whose scripts have taken over; type after that. Pages without islands never have it. */
  hydrated: 'html[data-hydrated]',

  /** On every page. */
  everywhere: {
    language: 'form[action="/language"] select, select[name="shown_in"]',
    main: 'main#content',
    heading: 'main h1',
  },

  /** On every page of somebody who is signed in. */
  signedIn: {
    logout: 'form[action="/logout"] button',
  },

  /** `/login` */
  login: {
    form: 'form[action="/login"]',
    company: 'form[action="/login"] input[name="company"]',
    account: 'form[action="/login"] input[name="account"]',
    password: 'form[action="/login"] input[name="password"]',
    submit: 'form[action="/login"] button:not([type="button"])',
  },

  /** `/login`, where the server knows applications of them. */
  providers: {
    google: 'form[action="/auth/google/start"] button',
    office365: 'form[action="/auth/office365/start"] button',
  },

  /** `/login/code` */
  code: {
    form: 'form[action="/login/code"]',
    code: 'form[action="/login/code"] input[name="code"]',
    cancel: 'button[formaction="/login/code/cancel"], form[action="/login/code/cancel"] button',
  },

  /** `/forgot-password` */
  forgot: {
    form: 'form[action="/forgot-password"]',
    company: 'form[action="/forgot-password"] input[name="company"]',
    email: 'form[action="/forgot-password"] input[name="email"]',
  },

  /** `/profile` */
  profile: {
    form: 'form[action="/profile"]',
    firstName: 'form[action="/profile"] input[name="first_name"]',
    lastName: 'form[action="/profile"] input[name="last_name"]',
    language: 'form[action="/profile"] select[name="language"]',
  },

  /** `/admin/agents` */
  agents: {
    search: 'form[action="/admin/agents"] input[name="search"]',
    state: 'form[action="/admin/agents"] select[name="state"]',
    role: 'form[action="/admin/agents"] select[name="role"]',
  },

  /** `/admin/agents/new` */
  newAgent: {
    form: 'form[action="/admin/agents/new"]',
    account: 'form[action="/admin/agents/new"] input[name="account"]',
    email: 'form[action="/admin/agents/new"] input[name="email"]',
    firstName: 'form[action="/admin/agents/new"] input[name="first_name"]',
    lastName: 'form[action="/admin/agents/new"] input[name="last_name"]',
  },

  /** `/admin/agents/import` */
  import: {
    file: 'form[action="/admin/agents/import"] input[name="file"]',
  },

  /** `/admin/audit` */
  audit: {
    event: 'form[action="/admin/audit"] select[name="event"]',
    account: 'form[action="/admin/audit"] input[name="account"]',
    from: 'form[action="/admin/audit"] input[name="from"]',
    until: 'form[action="/admin/audit"] input[name="until"]',
  },
} as const;
