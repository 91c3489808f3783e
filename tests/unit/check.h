/* check.h - cmocka and the headers it wants before it. */
#ifndef ASCOLTO_TESTS_CHECK_H
#define ASCOLTO_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
