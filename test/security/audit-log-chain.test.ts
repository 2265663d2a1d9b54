import { describeAuditLogChain } from './audit-log/suite.ts';

await describeAuditLogChain('MariaDB');
await describeAuditLogChain('MySQL');
