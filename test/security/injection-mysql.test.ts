import { describeInjection } from './injection/suite.ts';

await describeInjection('MySQL');
