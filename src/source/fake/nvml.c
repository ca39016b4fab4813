/* SPDX-License-Identifier: Apache-2.0 */
/* What the test of the source gpu takes for NVML: two GPUs, of which the second does not tell its power. */
#include <stddef.h>

struct utilization {
  unsigned gpu, memory;
};
struct memory {
  unsigned long long total, free, used;
};
static int devices[2];
static int open_count;

int nvmlInit_v2(void);
int nvmlShutdown(void);
const char* nvmlErrorString(int code);
int nvmlDeviceGetCount_v2(unsigned* count);
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device);
int nvmlDeviceGetUtilizationRates(void* device, struct utilization* out);
int nvmlDeviceGetMemoryInfo(void* device, struct memory* out);
int nvmlDeviceGetPowerUsage(void* device, unsigned* milliwatts);
int nvmlDeviceGetTemperature(void* device, int sensor, unsigned* degrees);

int nvmlInit_v2(void) {
  ++open_count;
  return 0;
}
int nvmlShutdown(void) {
  --open_count;
  return 0;
}
const char* nvmlErrorString(int code) {
  return code == 1 ? "Uninitialized" : "Not Supported";
}
int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = 2;
  return open_count > 0 ? 0 : 1;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
  *device = &devices[index];
  return index < 2 ? 0 : 2;
}
int nvmlDeviceGetUtilizationRates(void* device, struct utilization* out) {
  out->gpu = device == &devices[0] ? 75 : 0;
  out->memory = 40;
  return 0;
}
int nvmlDeviceGetMemoryInfo(void* device, struct memory* out) {
  (void)device;
  out->total = 80ULL << 30;
  out->used = 20ULL << 30;
  out->free = out->total - out->used;
  return 0;
}
int nvmlDeviceGetPowerUsage(void* device, unsigned* milliwatts) {
  *milliwatts = 312500;
  return device == &devices[0] ? 0 : 3;
}
int nvmlDeviceGetTemperature(void* device, int sensor, unsigned* degrees) {
  *degrees = device == &devices[0] ? 61 : 34;
  return sensor == 0 ? 0 : 2;
}
