// libzmq (Debian: libzmq3-dev).
#pragma once
#include <zmq.h>
