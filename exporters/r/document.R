# A document in the making: input, cells, statements of the action, output.

DOUBLES <- list(type = "array", items = "double")

# Names that Avro takes, each another one: other characters than letters, digits and _ become _, a
# digit in front gets one before it, and of names that become the same the later get _2, _3, ...
avro_names <- function(names) {
  found <- character(0)
  for (name in names) {
    plain <- gsub("[^A-Za-z0-9_]", "_", name)
    if (!nzchar(plain) || grepl("^[0-9]", plain)) plain <- paste0("_", plain)
    unique <- plain
    number <- 2
    while (unique %in% found) {
      unique <- paste0(plain, "_", number)
      number <- number + 1
    }
    found <- c(found, unique)
  }
  found
}

.type <- function(name, x) {
  if (is.factor(x) || is.character(x)) "string"
  else if (is.logical(x)) "boolean"
  else if (is.integer(x)) "long"
  else if (is.numeric(x)) "double"
  else stop("the column ", name, " holds neither numbers, nor truth values, nor texts")
}

# `missing`: whether the model takes missing values. Columns that have some are unions with null.
new_document <- function(data, missing = FALSE) {
  d <- new.env()
  d$columns <- names(data)
  d$nullable <- vapply(data, anyNA, NA, USE.NAMES = FALSE)
  if (any(d$nullable) && !missing) {
    stop("the column ", d$columns[d$nullable][1], " has missing values, which cannot be exported")
  }
  d$fields <- avro_names(names(data))
  types <- mapply(.type, names(data), data)
  d$types <- unname(types)
  d$ordered <- lapply(Filter(is.ordered, data), levels)
  d$cells <- list()
  d$action <- list()
  d$used <- "input"
  renamed <- !identical(d$columns, d$fields)
  fields <- Map(function(field, type, nullable) {
    if (!nullable) return(list(name = field, type = type))
    c(list(name = field, type = list("null", type)), if (!renamed) list(default = NULL))
  }, d$fields, d$types, d$nullable)
  if (!renamed) {
    d$row <- "input"
    d$input <- list(type = "record", name = unique_name(d, "Input"), fields = unname(fields))
  } else {
    .read_map(d, unname(fields))
  }
  d
}

# A map with the original names becomes the row; a record that does not fit is an error, as of the
# documents of exporters/document.py: -1 a field is missing, -2 another type, -4 it is not known.
.read_map <- function(d, fields) {
  types <- sort(unique(d$types))
  if ("double" %in% types) types <- setdiff(types, "long")
  if (any(d$nullable)) types <- c("null", types)
  row <- list(type = "record", name = unique_name(d, "Row"), fields = fields)
  known <- cell(d, "columns", list(type = "array", items = "string"), many(d$columns))
  unknown <- list(params = list(list(name = "string")), ret = "boolean",
                  do = list("!" = list(list(a.contains = list(known, "name")))))
  say(d, list("if" = list(a.any = list(list(map.keys = list("input")), unknown)),
              then = list(error = "a field is not known", code = -4L)))
  taken <- Map(function(column, type, nullable) {
    value <- list(attr = "input", path = list(list(string = column)))
    read <- if (type == "long" && "double" %in% types) "double" else type
    right <- if (read == type) "value" else list(m.round = list("value"))
    wrong <- list(error = paste(column, "must be of type", type), code = -2L)
    if (length(types) > 1) {
      value <- list(cast = value, cases = lapply(types, function(each) {
        do <- if (each == read) right else if (each == "null" && nullable) NULL else wrong
        list(as = each, named = "value", do = do)
      }))
    } else if (read != type) {
      value <- list(m.round = list(value))
    }
    list("if" = list(map.containsKey = list("input", list(string = column))), then = value,
         "else" = if (!nullable) list(error = paste(column, "is missing"), code = -1L))
  }, d$columns, d$types, d$nullable)
  names(taken) <- d$fields
  d$row <- let(d, "row", list(type = row, new = taken))
  d$input <- list(type = "map", values = if (length(types) > 1) as.list(types) else types)
}

unique_name <- function(d, hint) {
  d$used <- c(d$used, utils::tail(avro_names(c(d$used, hint)), 1))
  utils::tail(d$used, 1)
}

# Adds a cell with a model's parameters; returns PFA of its value.
cell <- function(d, hint, type, init) {
  name <- unique_name(d, hint)
  d$cells[[name]] <- list(type = type, init = init)
  list(cell = name)
}

say <- function(d, statement) d$action <- c(d$action, list(statement))

# Names the value of an expression; returns the name, which is PFA of it.
let <- function(d, hint, expression) {
  name <- unique_name(d, hint)
  say(d, list(let = stats::setNames(list(expression), name)))
  name
}

type_of <- function(d, column) d$types[match(column, d$columns)]

# PFA of a column.
column <- function(d, name) paste0(d$row, ".", d$fields[match(name, d$columns)])

# PFA of a column as a number, or of its `value` where that is known; text is none.
number <- function(d, name, value = column(d, name)) {
  type <- type_of(d, name)
  if (type == "string") stop("the column ", name, " is text")
  if (type == "boolean") list("if" = value, then = 1.0, "else" = 0.0) else value
}

numbers <- function(d, names) {
  let(d, "x", list(type = DOUBLES, new = lapply(names, function(name) number(d, name))))
}

# Fails with the error -3 unless a column of text is one of the levels.
check_level <- function(d, name, levels) {
  known <- cell(d, paste0(name, "_levels"), list(type = "array", items = "string"), many(levels))
  message <- paste(name, "is of a category that the model does not know")
  say(d, list("if" = list("!" = list(list(a.contains = list(known, column(d, name))))),
              then = list(error = message, code = -3L)))
}

# What a model gives: PFA of a number, or of a class and its probabilities; and what R says.
a_number <- function(value, expected, type = "double") {
  list(type = type, value = value, expected = unname(as.list(expected)))
}

# `probabilities` is PFA of an array, `index` of the chosen one's place; `matrix` is R's, by class.
# A class of R's is the first of the likeliest, unless `labels` says otherwise.
a_class <- function(d, classes, index, probabilities, matrix, labels = NULL) {
  if (is.null(labels)) labels <- classes[max.col(matrix, ties.method = "first")]
  label <- if (is.numeric(classes)) "long" else "string"
  if (label == "string") labels <- as.character(labels)
  array <- list(type = "array", items = label)
  by_class <- list(type = "map", values = "double")
  named <- cell(d, "classes", array, many(classes))
  both <- list(type = "record", name = unique_name(d, "Prediction"),
               fields = list(list(name = "label", type = label),
                             list(name = "probability", type = by_class)))
  places <- lapply(seq_along(classes), function(i) {
    list(attr = probabilities, path = list(i - 1L))
  })
  new <- list(label = c(named, list(path = list(index))),
              probability = list(type = by_class, new = stats::setNames(places, classes)))
  expected <- lapply(seq_len(nrow(matrix)), function(i) {
    list(label = labels[i],
         probability = stats::setNames(as.list(as.numeric(matrix[i, ])), classes))
  })
  list(type = both, value = list(type = both$name, new = new), expected = expected)
}

# Of two classes, with PFA of the second one's probability, and R's numbers of it. `index` and
# `labels`: which of them is said, if not the likelier one.
of_two <- function(d, classes, second, p, index = NULL, labels = NULL) {
  second <- let(d, "second", second)
  values <- list(list("-" = list(1.0, second)), second)
  both <- let(d, "probability", list(type = DOUBLES, new = values))
  if (is.null(index)) index <- list("if" = list(">" = list(second, 0.5)), then = 1L, "else" = 0L)
  a_class(d, classes, index, both, cbind(1 - p, p), labels)
}

# Of scores that are logs: the largest, and softmax.
of_scores <- function(d, classes, scores, matrix) {
  largest <- let(d, "largest", list(a.max = list(scores)))
  power <- list(params = list(list(score = "double")), ret = "double",
                do = list(m.exp = list(list("-" = list("score", largest)))))
  powers <- let(d, "powers", list(a.map = list(scores, power)))
  shared(d, classes, list(a.argmax = list(scores)), powers, matrix)
}

# Of numbers: their shares of the sum.
shared <- function(d, classes, index, values, matrix) {
  total <- let(d, "total", list(a.sum = list(values)))
  share <- list(params = list(list(value = "double")), ret = "double",
                do = list("/" = list("value", total)))
  a_class(d, classes, index, let(d, "probability", list(a.map = list(values, share))), matrix)
}

# PFA of 1 / (1 + exp(-margin)); titus2's exp overflows at 709.8.
logistic <- function(margin) list(m.link.logit = list(list(max = list(margin, -709.0))))

# PFA of a weighted sum of an array.
weighted <- function(d, x, const, coeff) {
  type <- list(type = "record", name = unique_name(d, "Regression"),
               fields = list(list(name = "const", type = "double"),
                             list(name = "coeff", type = DOUBLES)))
  init <- list(const = as.numeric(const), coeff = many(as.numeric(coeff)))
  list(model.reg.linear = list(x, cell(d, "regression", type, init)))
}

# PFA of several weighted sums: `coeff` has a row for each.
weighted_many <- function(d, x, const, coeff) {
  type <- list(type = "record", name = unique_name(d, "Regression"),
               fields = list(list(name = "const", type = DOUBLES),
                             list(name = "coeff", type = list(type = "array", items = DOUBLES))))
  rows <- lapply(seq_len(nrow(coeff)), function(i) many(as.numeric(coeff[i, ])))
  init <- list(const = many(as.numeric(const)), coeff = rows)
  let(d, "scores", list(model.reg.linear = list(x, cell(d, "regression", type, init))))
}

finished <- function(d, made) {
  cells <- if (length(d$cells)) d$cells else nothing()
  list(input = d$input, output = made$type, cells = cells, action = c(d$action, list(made$value)))
}

# The rows as a request has them, by the original names.
records <- function(data, d) {
  lapply(seq_len(nrow(data)), function(i) {
    row <- lapply(data[i, , drop = FALSE], function(x) {
      if (is.na(x)) NULL else if (is.factor(x)) as.character(x) else x
    })
    stats::setNames(unname(lapply(row, unname)), d$columns)
  })
}
