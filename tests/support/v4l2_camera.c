/* A USB camera for tests: preloaded into a process, it answers for the device that V4L2_CAMERA names.
 *
 * It gives pictures of V4L2_SIZE ("160x120") in the format YUYV, V4L2_RATE a second, each of one grey level that is
 * 16 more than its number, modulo 200. The device's descriptor is memory (memfd), so its buffers are mapped by the kernel.
 * After V4L2_PICTURES pictures it is unplugged: no buffer comes any more (ENODEV). The number is counted from the start.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BUFFERS 8

static int device = -1, width, height, rate, most, number, queued[BUFFERS], first, waiting;
static long step; /* bytes from a buffer to the next */
static struct timespec due;

static int opened(const char *path) {
    const char *name = getenv("V4L2_CAMERA");
    if (!name || strcmp(name, path)) return -1;
    sscanf(getenv("V4L2_SIZE"), "%dx%d", &width, &height);
    rate = atoi(getenv("V4L2_RATE"));
    most = atoi(getenv("V4L2_PICTURES"));
    step = (2L * width * height + 4095) / 4096 * 4096;
    device = syscall(SYS_memfd_create, "v4l2", 0);
    if (ftruncate(device, BUFFERS * step)) return -1;
    return device;
}

int open(const char *path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    int mode = va_arg(list, int), fd = opened(path);
    va_end(list);
    return fd >= 0 ? fd : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    int mode = va_arg(list, int), fd = opened(path);
    va_end(list);
    return fd >= 0 ? fd : (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

static void fill_format(struct v4l2_format *format) {
    memset(&format->fmt, 0, sizeof format->fmt);
    format->fmt.pix.width = width;
    format->fmt.pix.height = height;
    format->fmt.pix.pixelformat = V4L2_PIX_FMT_YUYV;
    format->fmt.pix.field = V4L2_FIELD_NONE;
    format->fmt.pix.bytesperline = 2 * width;
    format->fmt.pix.sizeimage = 2 * width * height;
}

static int next_buffer(struct v4l2_buffer *buffer) {
    if (number >= most || !waiting) return errno = number >= most ? ENODEV : EAGAIN, -1;
    if (!number) clock_gettime(CLOCK_MONOTONIC, &due);
    due.tv_nsec += 1000000000L / rate;
    if (due.tv_nsec >= 1000000000L) due.tv_nsec -= 1000000000L, due.tv_sec++;
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
    buffer->index = queued[first];
    first = (first + 1) % BUFFERS;
    waiting--;
    unsigned char *data = mmap(NULL, step, PROT_READ | PROT_WRITE, MAP_SHARED, device, buffer->index * step);
    memset(data, 128, 2L * width * height);
    for (long index = 0; index < 2L * width * height; index += 2) data[index] = 16 + number % 200;
    munmap(data, step);
    buffer->flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    buffer->bytesused = 2 * width * height;
    buffer->length = step;
    buffer->sequence = number++;
    buffer->field = V4L2_FIELD_NONE;
    buffer->timestamp.tv_sec = due.tv_sec;
    buffer->timestamp.tv_usec = due.tv_nsec / 1000;
    return 0;
}

int ioctl(int fd, unsigned long request, ...) {
    va_list list;
    va_start(list, request);
    void *argument = va_arg(list, void *);
    va_end(list);
    if (fd < 0 || fd != device) return syscall(SYS_ioctl, fd, request, argument);
    switch (request & 0xffffffff) {
    case VIDIOC_QUERYCAP: {
        struct v4l2_capability *capability = argument;
        memset(capability, 0, sizeof *capability);
        strcpy((char *)capability->driver, "test");
        strcpy((char *)capability->card, "test");
        capability->capabilities = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING | V4L2_CAP_DEVICE_CAPS;
        capability->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
        return 0;
    }
    case VIDIOC_ENUM_FMT: {
        struct v4l2_fmtdesc *description = argument;
        if (description->index) return errno = EINVAL, -1;
        description->pixelformat = V4L2_PIX_FMT_YUYV;
        return 0;
    }
    case VIDIOC_G_FMT:
    case VIDIOC_S_FMT:
    case VIDIOC_TRY_FMT:
        fill_format(argument);
        return 0;
    case VIDIOC_G_INPUT:
        *(int *)argument = 0;
        return 0;
    case VIDIOC_S_INPUT:
        return 0;
    case VIDIOC_ENUMINPUT:
        if (((struct v4l2_input *)argument)->index) return errno = EINVAL, -1;
        ((struct v4l2_input *)argument)->type = V4L2_INPUT_TYPE_CAMERA;
        ((struct v4l2_input *)argument)->std = 0;
        return 0;
    case VIDIOC_G_PARM:
    case VIDIOC_S_PARM: {
        struct v4l2_streamparm *parameters = argument;
        parameters->parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
        parameters->parm.capture.timeperframe.numerator = 1;
        parameters->parm.capture.timeperframe.denominator = rate;
        return 0;
    }
    case VIDIOC_REQBUFS:
        if (((struct v4l2_requestbuffers *)argument)->count > BUFFERS)
            ((struct v4l2_requestbuffers *)argument)->count = BUFFERS;
        return 0;
    case VIDIOC_QUERYBUF:
        ((struct v4l2_buffer *)argument)->length = step;
        ((struct v4l2_buffer *)argument)->m.offset = ((struct v4l2_buffer *)argument)->index * step;
        return 0;
    case VIDIOC_QBUF:
        queued[(first + waiting++) % BUFFERS] = ((struct v4l2_buffer *)argument)->index;
        return 0;
    case VIDIOC_DQBUF:
        return next_buffer(argument);
    case VIDIOC_STREAMON:
    case VIDIOC_STREAMOFF:
        return 0;
    }
    return errno = ENOTTY, -1;
}
