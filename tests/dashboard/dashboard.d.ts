/** Types of the dashboard's JavaScript, for `make types-js` only: the API's documents, the views, and the page's ids. */

type Counts = Record<string, number>;
type Status = "notStarted" | "running" | "succeeded" | "failed" | "canceled";

interface Fault { pointer: string; detail: string }

interface InnerError {
  statusCode?: number; code?: string; requestId?: string; clientRequestId?: string; activityId?: string; date?: string;
}

interface UpdateError { code: string; message: string; errors?: Fault[]; innerError?: InnerError }

interface Attempt {
  startedDateTime: string; durationMilliseconds: number; statusCode: number | null; code: string | null;
  requestId: string | null; clientRequestId: string | null; retryAfterSeconds: number | null;
}

interface ReportedStatus {
  userDisplayName?: string; userPrincipalName?: string; status?: string; devicesCount?: number;
  lastReportedDateTime?: string;
}

interface Verification { state: "confirmed" | "overwritten" | "unknown"; checkedDateTime: string }

interface ListedUpdate {
  id: string; status: Status; statusDetail: "queued" | "held" | "waiting" | "delivered" | "superseded" | null;
  deviceCompliancePolicyId: string | null; deviceComplianceUserStatusId: string | null; userPrincipalName?: string;
  userStatus: ReportedStatus | null; priority: "normal" | "bulk"; source: string | null; submittedBy: string | null;
  createdDateTime: string; lastActionDateTime: string; nextAttemptDateTime: string | null; attemptCount: number;
  error: UpdateError | null; supersededBy: string | null; replayOf: string | null; replayedBy: string | null;
  heldBy: string | null; verification: Verification | null;
}

interface Update extends ListedUpdate {
  attempts: Attempt[]; result: object | null; rawMessage?: string; rawMessageEncoding?: "base64";
}

interface Delivery { startDateTime: string; count: number }
interface Queue { length: number; headAgeSeconds: number | null }
interface Quota { writes: number; seconds: number; used: number; holding: boolean; holdUntilDateTime: string | null }

interface WebhookRequests {
  requests: number; refused: number; byReason: Counts; lastRefusedDateTime: string | null; lastRefusedReason: string | null;
}

interface Stats {
  last24Hours: { byStatus: Counts; byStatusDetail: Counts; byErrorCode: Counts };
  deliveriesPerMinute: number; deliveries: Delivery[]; queue: Queue; lanes: { normal: Queue; bulk: Queue }; quota: Quota;
  verification: Counts; webhooks: Record<string, WebhookRequests>;
}

interface Pause {
  id: string; kind: "operator" | "brake"; reason: string; scope: Record<string, string>; createdBy: string | null;
  createdDateTime: string; endsDateTime: string | null; heldCount: number;
}

interface SignedIn { id: string; name: string; roles: string[] }
interface Session { authentication: "functionKeys" | "entra"; signedIn?: SignedIn | null }
interface AuditRecord {
  id: string; createdDateTime: string; action: string; by: string | null; target: string | null; result: string;
}
type Checks = Record<string, string>;
interface Problem { status: number; detail?: string; errors?: Fault[] }

/** A filter of the list, as the API takes it. */
type Filter = Record<string, string>;
/** What the address names. */
type View = Record<string, string | null | undefined>;
interface Page { updates: ListedUpdate[]; next: string | null }
/** Updates counted by error code; `more`: there may be others. */
interface Sample { codes: Counts; total: number; more: boolean }

type Child = Node | string | null | undefined | false;
type Attributes = { on?: Record<string, (event: Event) => void>; [name: string]: unknown };
/** A child that is made only when its stamp is another one than before. */
interface Entry { key: string; stamp: string; make: () => HTMLElement }
interface Action { label: string; action: () => void }
interface Dialog { show: (text: string, lines?: string[], act?: Action) => void; close: () => void; opened: () => boolean }

interface Fields extends HTMLFormControlsCollection {
  [name: string]: any;
}
type Form = HTMLFormElement & { elements: Fields };

/** The elements of index.html that have an id. */
interface Ids {
  again: HTMLButtonElement; ask: HTMLDialogElement; "ask-act": HTMLButtonElement; "ask-close": HTMLButtonElement;
  "audit-action": HTMLSelectElement; "audit-empty": HTMLElement; "audit-export": HTMLButtonElement;
  "audit-newest": HTMLAnchorElement; "audit-older": HTMLAnchorElement; "audit-rows": HTMLElement;
  "audit-shown": HTMLElement; "audit-table": HTMLElement; "no-role": HTMLElement; "no-role-text": HTMLElement;
  records: HTMLElement; "sign-out": HTMLAnchorElement; "to-audit": HTMLAnchorElement; who: HTMLElement;
  "ask-text": HTMLElement; "ask-title": HTMLElement; back: HTMLAnchorElement; banner: HTMLElement;
  "banner-said": HTMLElement; between: HTMLElement; chart: HTMLElement; "chart-from": HTMLElement;
  "chart-most": HTMLElement; "chart-said": HTMLElement; checks: HTMLElement; clear: HTMLButtonElement;
  empty: HTMLElement; filters: Form; forget: HTMLButtonElement; headline: HTMLElement; home: HTMLElement;
  key: HTMLDialogElement; "key-close": HTMLButtonElement; "key-form": Form; "key-said": HTMLElement; live: HTMLElement;
  main: HTMLElement; newer: HTMLButtonElement; "no-reasons": HTMLElement; older: HTMLButtonElement; one: HTMLElement;
  overview: HTMLElement; "pause-list": HTMLElement; pauses: HTMLElement; "queue-age": HTMLElement; "queue-end": HTMLElement; "queue-length": HTMLElement;
  quota: HTMLElement; "quota-more": HTMLElement; "quota-used": HTMLElement; rate: HTMLElement; reasons: HTMLElement;
  "replay-matching": HTMLButtonElement; rows: HTMLElement; said: HTMLElement & { timer?: ReturnType<typeof setTimeout> };
  shown: HTMLElement; skip: HTMLButtonElement; subline: HTMLElement; table: HTMLElement; tiles: HTMLElement;
  update: HTMLElement; updates: HTMLElement; verification: HTMLElement; "verification-step": HTMLElement;
  "verification-text": HTMLElement; "webhook-refusals": HTMLElement; webhooks: HTMLElement;
}
