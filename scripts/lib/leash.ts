/*
 * Loaded into every service before its own code: when the starter is gone, even by kill -9, the service stops as if it had been asked to.
 * Otherwise it would live on unseen and hold its port.
 */
process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
// The leash alone keeps no process alive.
process.channel?.unref();
