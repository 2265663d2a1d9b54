import { afterAll, beforeAll, inject } from 'vitest';
import { hasBrowser } from './browser.ts';
import { WebUi } from './web-ui.ts';

/** Whether this run can show the Web UI to anyone; `npm test` says why when it cannot. */
export const HAS_WEB_UI = (await hasBrowser()) && inject('environment').temporalUiUrl !== '';

/** One browser for all tests of a file or a suite; answers it from within a test. */
export function useWebUi(namespace: () => string = () => 'default'): () => WebUi {
  let webUi: WebUi | undefined;
  beforeAll(async () => {
    webUi = await WebUi.launch(inject('environment').temporalUiUrl, namespace());
  });
  afterAll(() => webUi?.close());
  return () => {
    if (!webUi) throw new Error('the browser has not started');
    return webUi;
  };
}
