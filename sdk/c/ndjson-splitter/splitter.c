// Makes a document of each line of an NDJSON document (application/x-ndjson): each goes on by itself, as JSON. Empty lines
// are left out. Whether a line is JSON is for whoever reads it.

#include <stdlib.h>
#include <string.h>

#include "mapper_plugin.h"

static const char JSON[] = "application/json";

// Whether a media type, which may have parameters, is this one; letters count as the same in either case (RFC 9110).
static bool is_type(const mapper_plugin_string_t *type, const char *expected) {
  size_t len = strlen(expected);
  if (type->len < len || (type->len > len && type->ptr[len] != ';')) {
    return false;
  }
  for (size_t at = 0; at < len; at++) {
    uint8_t c = type->ptr[at];
    if ((c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c) != (uint8_t)expected[at]) {
      return false;
    }
  }
  return true;
}

static bool is_space(uint8_t c) { return c == ' ' || c == '\t' || c == '\r'; }

// The next line that is not empty, without the white space around it; its length is 0 at the end.
static mapper_plugin_list_u8_t next_line(mapper_plugin_list_u8_t *rest) {
  mapper_plugin_list_u8_t line = {rest->ptr, 0};
  while (rest->len > 0 && line.len == 0) {
    uint8_t *end = memchr(rest->ptr, '\n', rest->len);
    size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
    line = (mapper_plugin_list_u8_t){rest->ptr, len};
    rest->ptr += end ? len + 1 : len;
    rest->len -= end ? len + 1 : len;
    while (line.len > 0 && is_space(line.ptr[line.len - 1])) {
      line.len--;
    }
    while (line.len > 0 && is_space(line.ptr[0])) {
      line.ptr++;
      line.len--;
    }
  }
  return line;
}

static void refuse(const mapper_plugin_string_t *type, exports_weir_plugin_mapper_fault_t *fault) {
  static const char SAID[] = "one JSON value a line is needed, as application/x-ndjson, and the input is ";
  *fault = (exports_weir_plugin_mapper_fault_t){.kind = WEIR_PLUGIN_TYPES_FAULT_KIND_INVALID_INPUT};
  mapper_plugin_string_dup(&fault->code, "content-type");
  fault->message.len = strlen(SAID) + type->len;
  fault->message.ptr = malloc(fault->message.len);
  if (fault->message.ptr == NULL) {
    abort();
  }
  memcpy(fault->message.ptr, SAID, strlen(SAID));
  memcpy(fault->message.ptr + strlen(SAID), type->ptr, type->len);
}

static size_t count_lines(mapper_plugin_list_u8_t rest) {
  size_t count = 0;
  while (next_line(&rest).len > 0) {
    count++;
  }
  return count;
}

// The role `mapper`; the name is the contract's. It gives whether there is a result, and writes it or the fault. What it
// writes is freed by the bindings, which is why each document gets its own copy of its line.
bool exports_weir_plugin_mapper_transform(exports_weir_plugin_mapper_origin_t *origin,
                                          exports_weir_plugin_mapper_document_t *input,
                                          mapper_plugin_string_t *options,
                                          exports_weir_plugin_mapper_list_document_t *ret,
                                          exports_weir_plugin_mapper_fault_t *err) {
  bool is_ndjson = is_type(&input->content_type, "application/x-ndjson") ||
                   is_type(&input->content_type, "application/jsonl") || is_type(&input->content_type, "text/plain");
  if (is_ndjson) {
    ret->len = count_lines(input->data);
    ret->ptr = ret->len > 0 ? calloc(ret->len, sizeof *ret->ptr) : NULL;
    if (ret->len > 0 && ret->ptr == NULL) {
      abort();
    }
    mapper_plugin_list_u8_t rest = input->data;
    for (size_t at = 0; at < ret->len; at++) {
      mapper_plugin_list_u8_t line = next_line(&rest);
      mapper_plugin_string_t copy;
      mapper_plugin_string_dup(&ret->ptr[at].content_type, JSON);
      mapper_plugin_string_dup_n(&copy, (const char *)line.ptr, line.len);
      ret->ptr[at].data = (mapper_plugin_list_u8_t){copy.ptr, copy.len};
    }
  } else {
    refuse(&input->content_type, err);
  }
  exports_weir_plugin_mapper_origin_free(origin);
  exports_weir_plugin_mapper_document_free(input);
  mapper_plugin_string_free(options);
  return is_ndjson;
}
