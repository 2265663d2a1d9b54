import { parseDatabaseConfiguration } from '../config/configuration.ts';
import { openDatabase } from './database.ts';
import { migrate } from './migrator.ts';

const db = openDatabase({ ...parseDatabaseConfiguration(process.env).mysql, poolSize: 2 });
const applied = await migrate(db).finally(() => db.destroy());
console.log(applied.length === 0 ? 'database: up to date' : `database: applied ${applied.join(', ')}`);
