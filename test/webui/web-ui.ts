import { type Browser, errors, type Locator, type Page } from 'playwright-core';
import { z } from 'zod';
import { until } from '../../dev/kit/until.ts';
import { launchBrowser } from './browser.ts';

/** A browser beside all servers of a run has its share of two cores only. */
const TIMEOUT_MS = 60_000;
/** What a page has not shown by then, it will not show before it is loaded again. */
const SHOWN_AFTER_MS = 10_000;
const STATUS = /^\s*(Running|Completed|Failed|Canceled|Terminated|Timed Out|Continued As New)\s*$/;

/** A line of the workflow list. */
export interface ListedRun {
  status: string;
  workflowId: string;
  runId: string;
}

const listSchema = z.object({
  executions: z.array(z.object({ execution: z.object({ runId: z.string() }) })).default([]),
});

/** Temporal's Web UI in a real browser, as an operator uses it. */
export class WebUi {
  readonly #browser: Browser;
  readonly #baseUrl: string;
  /** What its pages get their lists from. */
  readonly #listUrl: string;

  private constructor(browser: Browser, url: string, namespace: string) {
    this.#browser = browser;
    this.#baseUrl = `${url}/namespaces/${namespace}`;
    this.#listUrl = `${url}/api/v1/namespaces/${namespace}/workflows`;
  }

  /** Starts a browser for the Web UI at `url`. */
  static async launch(url: string, namespace = 'default'): Promise<WebUi> {
    return new WebUi(await launchBrowser(), url, namespace);
  }

  /** The list of workflows that a query answers, in a page of its own. */
  async list(query: string): Promise<WorkflowList> {
    const page = await this.#newPage();
    await page.goto(`${this.#baseUrl}/workflows?query=${encodeURIComponent(query)}`);
    return new WorkflowList(page);
  }

  /** The page of a run; without a run id that of the newest one in the list, which lags behind. */
  async open(workflowId: string, runId?: string): Promise<RunPage> {
    const page = await this.#newPage();
    const run = runId ?? (await this.#newestRun(page, workflowId));
    const path = `/workflows/${encodeURIComponent(workflowId)}/${run}/history`;
    return until(
      `${path} showed a run`,
      async () => {
        await page.goto(`${this.#baseUrl}${path}`);
        return RunPage.on(page, SHOWN_AFTER_MS).catch(ifTimedOut);
      },
      TIMEOUT_MS,
    );
  }

  /** Has a schedule run at once, as its page offers. */
  async triggerSchedule(scheduleId: string): Promise<void> {
    const page = await this.#newPage();
    await page.goto(`${this.#baseUrl}/schedules/${encodeURIComponent(scheduleId)}`);
    await page.getByRole('button', { name: 'Schedule Actions' }).filter({ visible: true }).click();
    await page.getByRole('menuitem', { name: 'Trigger' }).filter({ visible: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByTestId('confirm-modal-button').click();
    await dialog.waitFor({ state: 'hidden' });
    await page.close();
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }

  async #newestRun(page: Page, workflowId: string): Promise<string> {
    return until(
      `${workflowId} is listed`,
      async () => {
        const answer = await page.request.get(this.#listUrl, { params: { query: `WorkflowId = '${workflowId}'` } });
        return listSchema.parse(await answer.json()).executions[0]?.execution.runId;
      },
      TIMEOUT_MS,
    );
  }

  async #newPage(): Promise<Page> {
    const page = await this.#browser.newPage({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' });
    page.setDefaultTimeout(TIMEOUT_MS);
    return page;
  }
}

/** The page that lists workflows. */
export class WorkflowList {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** What is listed, once there is something; lists lag behind by a moment, so it is loaded again until then. */
  async runs(): Promise<ListedRun[]> {
    return until(
      'workflows were listed',
      async () => {
        const rows = await this.#read();
        if (rows.length > 0) return rows;
        await this.page.reload();
        return null;
      },
      TIMEOUT_MS,
    );
  }

  /** Opens a run that is listed by a click on its workflow id. */
  async open({ runId }: ListedRun): Promise<RunPage> {
    const row = this.#rows().filter({ hasText: runId });
    await row.getByRole('link').first().click();
    return RunPage.on(this.page);
  }

  async #read(): Promise<ListedRun[]> {
    await this.page.getByTestId('workflow-count').waitFor();
    const rows = await this.#rows().all();
    return Promise.all(
      rows.map(async (row) => {
        const [status = '', workflowId = '', runId = ''] = await row
          .getByTestId('workflows-summary-table-body-cell')
          .allInnerTexts();
        return { status: status.trim(), workflowId: workflowId.trim(), runId: runId.trim() };
      }),
    );
  }

  #rows(): Locator {
    return this.page.getByTestId('workflows-summary-configurable-table-row');
  }
}

/** Which of the events that the Web UI offers a reset goes back to. */
export type ResetPoint = 'first' | 'last';

/** The page of one run. */
export class RunPage {
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  /** The run that a page shows, once it does. */
  static async on(page: Page, withinMs = TIMEOUT_MS): Promise<RunPage> {
    await page.waitForURL(/\/workflows\/[^/]+\/[^/]+\/(history|timeline)/, { timeout: withinMs });
    const run = new RunPage(page);
    await run.#status().waitFor();
    return run;
  }

  get runId(): string {
    return new URL(this.page.url()).pathname.split('/').at(-2) ?? '';
  }

  async status(): Promise<string> {
    // Its style may show it in capitals, which is not what it says.
    return ((await this.#status().textContent()) ?? '').trim();
  }

  /** Waits until the run is shown as ended; answers how. */
  async ended(): Promise<string> {
    return until(
      `${this.page.url()} showed its end`,
      async () => {
        const status = await this.status();
        if (status !== 'Running') return status;
        await this.#reload();
        return null;
      },
      TIMEOUT_MS,
    );
  }

  /** What is shown as the result, or as the failure. A page that has not heard of the last event shows `null`. */
  async result(): Promise<string> {
    const heading = this.page.getByTestId('input-and-result').getByRole('heading', { name: 'Result' });
    return until(
      `${this.page.url()} showed a result`,
      async () => {
        const shown = await heading.locator('xpath=..').innerText();
        if (!/^Result\s*null$/.test(shown.trim())) return shown;
        await this.#reload();
        return null;
      },
      TIMEOUT_MS,
    );
  }

  /** What is shown about the steps that wait. */
  async pendingActivities(): Promise<string> {
    return this.#tab('pending-activities-tab', 'h4');
  }

  /** The summary, the details, and the steps with a summary of their own. */
  async metadata(): Promise<string> {
    return this.#tab('user-metadata-tab', '[data-testid=user-metadata-summary-heading]');
  }

  /** Resets the run and goes on to the run that comes of it. */
  async reset(to: ResetPoint, reason: string): Promise<RunPage> {
    const { runId } = this;
    const dialog = await this.openResetDialog();
    await dialog.getByTestId('workflow-reset-event-id-select-button').click();
    const choices = dialog.getByRole('option');
    await (to === 'first' ? choices.first() : choices.last()).click();
    await dialog.getByTestId('reset-reason').fill(reason);
    await this.#confirm(dialog);
    await this.page.getByTestId('workflow-reset-alert').getByRole('link').click();
    await this.page.waitForURL((url) => !url.pathname.includes(runId));
    return RunPage.on(this.page);
  }

  /** A closed run has a button for it, an open one an entry of its menu. */
  async openResetDialog(): Promise<Locator> {
    const button = this.page.getByRole('button', { name: 'Reset', exact: true }).filter({ visible: true });
    if ((await this.status()) === 'Running') await this.#choose('reset-button');
    else await button.click();
    return this.page.getByRole('dialog');
  }

  /** Asks the workflow to cancel itself. */
  async cancel(): Promise<void> {
    await this.page.getByRole('button', { name: 'Request Cancellation' }).filter({ visible: true }).click();
    await this.#confirm(this.page.getByRole('dialog'));
  }

  /** Ends the run without asking it. */
  async terminate(reason: string): Promise<void> {
    await this.#choose('terminate-button');
    const dialog = this.page.getByRole('dialog');
    await dialog.getByTestId('workflow-termination-reason').fill(reason);
    await this.#confirm(dialog);
  }

  /** Sends a signal without input. */
  async signal(name: string): Promise<void> {
    await this.#choose('signal-button');
    const dialog = this.page.getByRole('dialog');
    // The list is there once the workflow has told which signals it knows.
    await dialog.getByTestId('signal-select-button').click();
    await dialog.getByRole('option', { name: 'Custom' }).click();
    await dialog.getByTestId('signal-name').fill(name);
    await this.#confirm(dialog);
  }

  /** Starts the workflow again as it was started, under its own id unless another is given. Answers what is shown. */
  async startLikeThisOne(workflowId?: string): Promise<string> {
    await this.#choose('start-workflow-button');
    const id = this.page.getByTestId('workflowId');
    await id.waitFor();
    // The form is there a moment before the input that it copies; started without, the workflow would fail.
    await this.page.locator('.cm-content').filter({ hasText: /\S/ }).first().waitFor();
    if (workflowId !== undefined) await id.fill(workflowId);
    await this.page.getByTestId('start-workflow-button').filter({ visible: true }).click();
    const note = await this.page.getByRole('log').getByText(/start/i).innerText();
    if (!note.startsWith('Error')) return note;
    return this.page.getByRole('alert').filter({ visible: true }).first().innerText();
  }

  /** Presses a button of the one step that waits, and confirms it. */
  async changePendingActivity(button: 'Pause' | 'Unpause' | 'Reset'): Promise<void> {
    await this.page.getByTestId('pending-activities-tab').click();
    await this.page.getByRole('button', { name: button, exact: true }).filter({ visible: true }).click();
    await this.#confirm(this.page.getByRole('dialog'));
    await this.page.getByTestId('history-tab').click();
  }

  async #choose(entry: string): Promise<void> {
    await this.page.getByRole('button', { name: 'More Actions' }).filter({ visible: true }).click();
    await this.page.getByTestId(entry).filter({ visible: true }).click();
  }

  async #confirm(dialog: Locator): Promise<void> {
    await dialog.getByTestId('confirm-modal-button').click();
    await dialog.waitFor({ state: 'hidden' });
  }

  async #tab(name: string, content: string): Promise<string> {
    const history = this.page.getByTestId('history-tab');
    await this.page.getByTestId(name).click();
    await this.page.locator(content).first().waitFor();
    const text = await this.page.locator('main').innerText();
    await history.click();
    return text;
  }

  async #reload(): Promise<void> {
    await this.page.reload();
    await this.#status().waitFor();
  }

  #status(): Locator {
    return this.page.locator('header span').getByText(STATUS).first();
  }
}

function ifTimedOut(error: unknown): null {
  if (error instanceof errors.TimeoutError) return null;
  throw error;
}
