import { OpenAPIHono } from '@hono/zod-openapi';
import { methodNotAllowed as answerMethodNotAllowed } from 'hono/method-not-allowed';
import { type ApiApp, type ApiDependencies, type ApiEnvironment, AUDIENCES, type Audience } from './context.ts';
import { answerError } from './error-answer.ts';
import { methodNotAllowed, notFound } from './errors.ts';
import { createFairness, type Fairness, fairTurns } from './fairness/fairness.ts';
import { API_LIMITS } from './limits.ts';
import { accessLog } from './middleware/access-log.ts';
import { authentication } from './middleware/authentication.ts';
import { bodyLimit } from './middleware/body-limit.ts';
import { jsonBody } from './middleware/json-body.ts';
import { jsonCharset } from './middleware/json-charset.ts';
import { limitPaths } from './middleware/path-limit.ts';
import { rateLimit, rateLimitDefaults } from './middleware/rate-limit.ts';
import { rejectedChanges } from './middleware/rejected-changes.ts';
import { rejectionLog } from './middleware/rejection-log.ts';
import { requestId } from './middleware/request-id.ts';
import { timeLimit } from './middleware/time-limit.ts';
import { registerOpenApiDocuments } from './openapi.ts';
import { requesterOf } from './requester.ts';
import { registerAccountRoutes } from './routes/account/index.ts';
import { registerActionRoutes } from './routes/actions/index.ts';
import { registerDropletRoutes } from './routes/droplets/index.ts';
import { registerHealthRoutes } from './routes/health/index.ts';
import { registerHostRoutes } from './routes/host/index.ts';
import { registerInternalRoutes } from './routes/internal/index.ts';
import { registerReservedIpRoutes } from './routes/reserved-ips/index.ts';
import { validationHook } from './validation-hook.ts';

/**
 * The HTTP API as a plain fetch handler: `createApp(dependencies).fetch(request)`. It holds nothing but caches, so it
 * runs as well in a process that is made for one request. What is for other audiences than those named is not there: 404.
 */
export function createApp(
  dependencies: ApiDependencies,
  audiences: readonly Audience[] = AUDIENCES,
  fairness: Fairness = createFairness({ limits: API_LIMITS, ...dependencies }),
): ApiApp {
  const app: ApiApp = new OpenAPIHono<ApiEnvironment>({ strict: false, defaultHook: validationHook });
  app.onError(answerError);
  app.notFound((c) => answerError(notFound(), c));

  limitPaths(app, { logger: dependencies.logger, rejectedLines: fairness.rejectedLines });
  app.use(requestId(dependencies), accessLog(fairness.rejectedLines), jsonCharset());
  if (audiences.includes('hosts')) app.use('/host/*', rejectionLog(fairness.rejectedLines));
  if (audiences.includes('operators')) app.use('/internal/*', rejectionLog(fairness.rejectedLines));
  app.use(
    answerMethodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) => {
        c.header('allow', methods.join(', '));
        return answerError(methodNotAllowed(), c);
      },
    }),
  );
  registerHealthRoutes(app, dependencies);
  if (audiences.includes('customers')) registerCustomerRoutes(app, dependencies, fairness);
  if (audiences.includes('hosts')) registerHostRoutes(app, dependencies, fairness);
  if (audiences.includes('operators')) registerInternalRoutes(app, dependencies, fairness);
  registerOpenApiDocuments(app, {
    audiences,
    fairness,
    documented: () =>
      AUDIENCES.every((audience) => audiences.includes(audience)) ? app : createApp(dependencies, AUDIENCES, fairness),
  });
  return app;
}

function registerCustomerRoutes(app: ApiApp, dependencies: ApiDependencies, fairness: Fairness): void {
  app.use(
    '/v2/*',
    rateLimitDefaults(),
    authentication({ ...dependencies, fairness }),
    rateLimit(),
    timeLimit(),
    rejectedChanges({ db: dependencies.db, requesterOf }),
    bodyLimit(),
    jsonBody(),
    // After the body is here, so that nobody holds a place by sending slowly.
    fairTurns(fairness),
  );
  registerReservedIpRoutes(app, dependencies);
  registerActionRoutes(app, dependencies);
  registerDropletRoutes(app, dependencies);
  registerAccountRoutes(app, dependencies);
}
