/** A kernel's connection as JupyterLab passes it to the manager of a widget's model. */
import type { FakeModel } from "./fake-model.ts";

class Announcer {
  readonly slots = new Set<() => void>();
  readonly connect = (slot: () => void) => this.slots.add(slot);
  readonly disconnect = (slot: () => void) => this.slots.delete(slot);
}

export class FakeConnection {
  status = "idle";
  connectionStatus = "connected";
  /** Ids of the widgets that the kernel has. */
  comms: string[] = ["the lens"];
  readonly statusChanged = new Announcer();
  readonly connectionStatusChanged = new Announcer();

  constructor(model: FakeModel) {
    Object.assign(model, { widget_manager: { kernel: this } });
  }

  become(connectionStatus: string): void {
    this.connectionStatus = connectionStatus;
    for (const slot of this.connectionStatusChanged.slots) slot();
  }

  say(status: string): void {
    this.status = status;
    for (const slot of this.statusChanged.slots) slot();
  }

  requestCommInfo(): Promise<unknown> {
    const comms = Object.fromEntries(this.comms.map((id) => [id, { target_name: "jupyter.widget" }]));
    return Promise.resolve({ content: { status: "ok", comms } });
  }

  get listeners(): number {
    return this.statusChanged.slots.size + this.connectionStatusChanged.slots.size;
  }
}
