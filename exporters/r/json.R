# JSON with all digits: jsonlite writes 15 of a number, and a double has up to 17.

# Always an array, of one number or text as well.
many <- function(x) structure(list(x), class = "many")

# JSON as it is.
verbatim <- function(x) structure(x, class = "verbatim")

# Texts of numbers; a double always has a point or an exponent.
.numbers <- function(x) {
  if (is.integer(x)) return(sprintf("%d", x))
  if (any(!is.finite(x))) stop("a number of the model is not finite")
  short <- sprintf("%.15g", x)
  long <- sprintf("%.17g", x)
  # not as.numeric(), which is off by the last bit now and then
  read <- jsonlite::fromJSON(paste0("[", paste(short, collapse = ","), "]"))
  text <- ifelse(read == x, short, long)
  ifelse(grepl("^-?[0-9]+$", text), paste0(text, ".0"), text)
}

.texts <- function(x) {
  vapply(enc2utf8(as.character(x)), function(one) {
    as.character(jsonlite::toJSON(one, auto_unbox = TRUE))
  }, "", USE.NAMES = FALSE)
}

.scalars <- function(x) {
  if (is.character(x) || is.factor(x)) .texts(x)
  else if (is.logical(x)) ifelse(x, "true", "false")
  else .numbers(x)
}

# Lists with names are objects; lists without are arrays, and so are vectors of several values.
json <- function(x) {
  if (inherits(x, "verbatim")) return(unclass(x))
  if (inherits(x, "many")) {
    return(paste0("[", paste(.scalars(unclass(x)[[1]]), collapse = ","), "]"))
  }
  if (is.null(x)) return("null")
  if (is.list(x)) {
    parts <- vapply(x, json, "", USE.NAMES = FALSE)
    if (is.null(names(x))) return(paste0("[", paste(parts, collapse = ","), "]"))
    return(paste0("{", paste(.texts(names(x)), parts, sep = ":", collapse = ","), "}"))
  }
  if (length(x) == 1) .scalars(x) else json(many(x))
}

# An object without fields.
nothing <- function() structure(list(), names = character(0))
