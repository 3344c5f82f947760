"""The least that could be called acceptance: the same message on a queue, one row in a table. Here for comparison."""

import json
import os
import uuid

import azure.functions as func
from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
queue = QueueClient.from_connection_string(
    os.environ["UPDATES_STORAGE"], "bare", message_encode_policy=TextBase64EncodePolicy()
)
queue.create_queue()
table = TableServiceClient.from_connection_string(os.environ["UPDATES_STORAGE"]).create_table("bare")


@app.route("updates", methods=["POST"])
def post_update(req: func.HttpRequest) -> func.HttpResponse:
    """Queue and row, nothing else."""
    update = req.get_json()
    update_id = str(uuid.uuid4())
    queue.send_message(json.dumps({"id": update_id, "update": update}), time_to_live=-1)
    table.create_entity({"PartitionKey": update_id[:2], "RowKey": update_id, "Update": json.dumps(update)})
    return func.HttpResponse(json.dumps({"id": update_id}), status_code=202, mimetype="application/json")
