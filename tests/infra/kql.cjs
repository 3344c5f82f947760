/**
 * Checks KQL queries with Microsoft's own parser: names and types against the tables that the queries use.
 * Input: a JSON array of queries on standard input. Output: a JSON array, for each query its findings.
 */
"use strict";

/** Tables of Application Insights and Log Analytics, with the columns that our queries may use. */
const TABLES = {
  requests:
    "timestamp: datetime, id: string, name: string, success: string, resultCode: string, duration: real, " +
    "customDimensions: dynamic, operation_Id: string, operation_ParentId: string, itemCount: int, cloud_RoleName: string",
  dependencies:
    "timestamp: datetime, id: string, target: string, type: string, name: string, data: string, success: string, " +
    "resultCode: string, duration: real, customDimensions: dynamic, operation_Id: string, itemCount: int, cloud_RoleName: string",
  traces:
    "timestamp: datetime, message: string, severityLevel: int, customDimensions: dynamic, operation_Id: string, " +
    "operation_ParentId: string, itemCount: int, cloud_RoleName: string",
  exceptions:
    "timestamp: datetime, type: string, outerType: string, outerMessage: string, innermostMessage: string, " +
    "severityLevel: int, details: dynamic, customDimensions: dynamic, operation_Id: string, itemCount: int, cloud_RoleName: string",
  customMetrics:
    "timestamp: datetime, name: string, value: real, valueCount: int, valueSum: real, valueMin: real, valueMax: real, " +
    "valueStdDev: real, customDimensions: dynamic, operation_Id: string, cloud_RoleName: string",
  FunctionAppLogs:
    "TimeGenerated: datetime, Level: string, Message: string, Category: string, FunctionName: string, " +
    "ExceptionType: string, ExceptionMessage: string, HostInstanceId: string, _ResourceId: string",
  StorageBlobLogs: "TimeGenerated: datetime, OperationName: string, StatusText: string, ObjectKey: string, _ResourceId: string",
  _LogOperation:
    "TimeGenerated: datetime, Category: string, Operation: string, Level: string, Detail: string, _ResourceId: string",
};

function main(queries) {
  require("@kusto/language-service-next/bridge.min");
  require("@kusto/language-service-next/Kusto.Language.Bridge.min");
  const { Symbols } = globalThis.Kusto.Language;
  const tables = Object.entries(TABLES).map(([name, columns]) => new Symbols.TableSymbol.$ctor7(name, `(${columns})`, null));
  const database = new Symbols.DatabaseSymbol.$ctor2("applicationInsights", null, tables);
  const globals = globalThis.Kusto.Language.GlobalState.Default.WithDatabase(database);
  return queries.map((query) => {
    const code = globalThis.Kusto.Language.KustoCode.ParseAndAnalyze(query, globals);
    const findings = code.GetDiagnostics();
    return Array.from({ length: findings.Count }, (_, index) => findings.getItem(index).Message);
  });
}

process.stdout.write(JSON.stringify(main(JSON.parse(require("node:fs").readFileSync(0, "utf8")))));
