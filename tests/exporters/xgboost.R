# Models of xgboost, for models.R, which has the data and put(). Those of xgboost() and of factors
# need its third version.

library(xgboost)
numbers <- people[c("age", "income.k", "member")]
numbers$score <- mean + rnorm(n)
holes <- numbers
for (name in c("age", "income.k", "score")) holes[[name]][sample(n, 40)] <- NA

# All rows, some of them new, and for each column the doubles at both sides of some splits.
at_splits <- function(model, data) {
  added <- rows(data, TRUE)
  for (tree in lapply(.learner(model)$gradient_booster$model$trees, .tree_table)) {
    for (i in utils::head(which(tree$left > 0), 4)) {
      name <- names(data)[tree$feature[i]]
      if (!is.double(data[[name]])) next
      left <- .under(tree$value[i])
      right <- if (left > 0) left / (1 - 2^-53) else left * (1 - 2^-53)
      more <- data[sample(nrow(data), 3), , drop = FALSE]
      more[[name]] <- c(left, right, tree$value[i])
      added <- rbind(added, more)
    }
  }
  added
}
near <- function(name, model, data) {
  data <- at_splits(model, data)
  write_pfa(model, data, file.path(folder, paste0(name, ".pfa")), name, examples = nrow(data))
}
train <- function(objective, y, data = numbers, rounds = 8, ...) {
  given <- list(objective = objective, max_depth = 4, nthread = 1, verbosity = 0, ...)
  xgb.train(given, xgb.DMatrix(data.matrix(data), label = y), rounds)
}
bought <- as.numeric(people$bought) - 1
colour <- as.numeric(people$colour) - 1

near("xgb_squared", train("reg:squarederror", people$paid), numbers)
near("xgb_holes", train("reg:squarederror", people$paid, holes), holes)
near("xgb_absolute", train("reg:absoluteerror", people$paid, holes), holes)
near("xgb_share", train("reg:logistic", bought), numbers)
near("xgb_poisson", train("count:poisson", people$visits, holes), holes)
near("xgb_gamma", train("reg:gamma", people$income.k), numbers)
near("xgb_tweedie", train("reg:tweedie", people$visits), numbers)
near("xgb_logistic", train("binary:logistic", bought, holes), holes)
near("xgb_raw", train("binary:logitraw", bought, holes), holes)
near("xgb_softprob", train("multi:softprob", colour, holes, num_class = 3), holes)
near("xgb_softmax", train("multi:softmax", colour, num_class = 3), numbers)
near("xgb_forest", train("multi:softprob", colour, rounds = 2, num_class = 3,
                         num_parallel_tree = 3, subsample = 0.5), numbers)
near("xgb_root", train("reg:squarederror", people$paid, gamma = 1e6), numbers)
near("xgb_dart", train("reg:squarederror", people$paid, booster = "dart", rate_drop = 0.4), numbers)
near("xgb_row", train("reg:squarederror", iris$Sepal.Length, iris[2:4]), iris[2:4])

ranked <- xgb.DMatrix(data.matrix(holes), label = bought, group = rep(10, n / 10))
near("xgb_rank", xgb.train(list(objective = "rank:pairwise", nthread = 1), ranked, 5), holes)

unnamed <- unname(data.matrix(numbers))
unnamed <- xgb.train(list(nthread = 1), xgb.DMatrix(unnamed, label = people$paid), 3)
near("xgb_unnamed", unnamed, numbers)

# early stopping: one argument of xgb.train() has another name since version 3
half <- seq_len(n / 2)
parts <- lapply(list(half, -half), function(i) {
  xgb.DMatrix(data.matrix(numbers)[i, ], label = colour[i])
})
watched <- list(list(test = parts[[2]]))
names(watched) <- if (packageVersion("xgboost") >= "3") "evals" else "watchlist"
model <- do.call(xgb.train, c(watched, list(
  params = list(objective = "multi:softprob", num_class = 3, eta = 0.5, nthread = 1),
  data = parts[[1]], nrounds = 100, early_stopping_rounds = 4, verbose = 0
)))
near("xgb_stopped", model, numbers)
best <- as.numeric(xgb.attr(model, "best_iteration")) + 1
stopifnot(best < 90, 3 * best < length(.learner(model)$gradient_booster$model$trees))

if (packageVersion("xgboost") >= "3") {
  levels <- transform(holes, city = people$city, size = people$size)
  levels$city[sample(n, 30)] <- NA
  near("xgb_levels", xgboost(levels, people$paid, nrounds = 8, max_cat_to_onehot = 1), levels)
  near("xgb_onehot", xgboost(levels, people$bought, nrounds = 8, max_cat_to_onehot = 9), levels)
  near("xgb_two", xgboost(numbers, people$bought, nrounds = 5), numbers)
  near("xgb_labels", xgboost(holes, people$colour, nrounds = 5), holes)
  near("xgb_number", xgboost(iris[2:4], iris$Sepal.Length, nrounds = 5), iris[2:4])
}

# Where Python's exporter goes on: the file, and the rows with R's predictions of them.
model <- train("binary:logistic", bought, holes)
invisible(xgb.save(model, file.path(folder, "of_r.json")))
told <- cbind(holes, said = predict(model, data.matrix(holes)))
told <- lapply(told, function(x) ifelse(is.na(x), "", sprintf("%.17g", as.numeric(x))))
write.csv(told, file.path(folder, "of_r.csv"), row.names = FALSE, na = "", quote = FALSE)

refused(train("reg:squarederror", people$paid, booster = "gblinear"), numbers, target, "m")
refused(train("survival:cox", people$visits + 1), numbers, target, "m")
refused(train("reg:squarederror", people$paid), numbers[-1], target, "m")
refused(model, transform(holes, age = as.character(age)), target, "m")
refused(unnamed, x, target, "m")
