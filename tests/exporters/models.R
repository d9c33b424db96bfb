# Fits models of R and writes each as <folder>/<name>.pfa: Rscript models.R <export.R> <folder>.
# All rows travel as examples, among them some that are not in the training data.

arguments <- commandArgs(TRUE)
source(arguments[1])
folder <- arguments[2]
suppressPackageStartupMessages({
  library(rpart)
  library(randomForest)
  library(gbm)
  library(e1071)
  library(glmnet)
})
set.seed(7)

cars <- transform(mtcars, cyl = factor(cyl), gear = as.integer(gear), am = am == 1)
names(cars)[names(cars) == "am"] <- "by.hand"
n <- 300
people <- data.frame(
  age = sample(18:90, n, TRUE),
  income.k = round(rnorm(n, 50, 10), 2),
  city = factor(sample(c("Aachen", "Basel", "C\u00f3rdoba", "\"D\\\""), n, TRUE)),
  sex = sample(c("f", "m"), n, TRUE),
  size = factor(sample(c("S", "M", "L"), n, TRUE), levels = c("S", "M", "L"), ordered = TRUE),
  member = runif(n) < 0.3
)
mean <- with(people, (age - 50) / 20 + (city == "Basel") - (sex == "m") + member + rnorm(n) / 2)
people$paid <- mean
people$visits <- rpois(n, exp(mean / 3))
people$bought <- factor(ifelse(mean > 0, "yes", "no"))
people$colour <- factor(c("red", "green", "blue")[findInterval(mean, c(-0.5, 0.8)) + 1])
inputs <- c("age", "income.k", "city", "sex", "size", "member")
x <- people[inputs]
factors <- transform(x, sex = factor(sex))
rows <- function(data, extremes) {
  mixed <- as.data.frame(lapply(data, sample), stringsAsFactors = FALSE)
  for (name in names(mixed)) {
    if (extremes && is.double(mixed[[name]])) {
      mixed[[name]][1:6] <- c(0, -0.0, 1e6, -1e6, 0.1, 1e-12)
    }
  }
  rbind(data, mixed)
}
put <- function(name, model, data, ..., extremes = TRUE) {
  data <- rows(data, extremes)
  write_pfa(model, data, file.path(folder, paste0(name, ".pfa")), name, examples = nrow(data), ...)
}
of <- function(response) reformulate(inputs, response)

put("lm", lm(Sepal.Length ~ ., iris), iris[-1])
put("lm_terms", lm(mpg ~ log(hp) * cyl + I(wt^2 / 2) + by.hand:gear + sqrt(disp), cars),
    cars[cars$hp > 0, c("hp", "cyl", "gear", "by.hand")] |>
      transform(wt = cars$wt, hp = as.integer(hp), disp = as.integer(cars$disp)))
put("lm_texts", lm(paid ~ age + sex * city + size + member, people), x)
put("lm_without_intercept", lm(paid ~ 0 + city + age, people), x)
put("lm_left_out", lm(paid ~ age + twice, transform(people, twice = 2 * age)),
    transform(x, twice = 2L * age))

put("glm_label", glm(of("bought"), binomial, people), x)
for (link in c("probit", "cloglog")) {
  model <- glm(as.numeric(bought == "yes") ~ age + city, binomial(link), people)
  put(paste0("glm_", link), model, x)
}
put("glm_poisson", glm(visits ~ age + city, poisson, people), x)
put("glm_gaussian", glm(income.k ~ age + city, gaussian("log"), people), x)
put("glm_gamma", glm(income.k ~ age + city, Gamma, people), x)
put("glm_inverse", glm(income.k ~ age, inverse.gaussian, people), x)

put("rpart", rpart(Species ~ ., iris), iris[-5])
put("rpart_numbers", rpart(of("paid"), people, cp = 0.001, minsplit = 4, maxsurrogate = 0), x)
put("rpart_labels", rpart(of("colour"), people, cp = 0.001, minsplit = 4, maxsurrogate = 0), x)
put("rpart_counts", rpart(visits ~ age + city, people, method = "poisson", maxsurrogate = 0), x)
put("rpart_root", rpart(paid ~ age, people, cp = 1), x)
put("rpart_ordered", rpart(as.integer(size) ~ size + age, people), x)
put("rpart_plain", rpart(paid ~ age + city, people, maxdepth = 2, maxsurrogate = 0), x)

paid <- cbind(factors, paid = people$paid)
put("forest_numbers", randomForest(of("paid"), paid, ntree = 12), factors)
put("forest_labels", randomForest(factors, people$colour, ntree = 13), factors)
put("forest_two", randomForest(iris[1:100, 1:4], droplevels(iris$Species[1:100]), ntree = 7),
    iris[1:100, 1:4])

boosted <- function(response, distribution, ...) {
  data <- factors
  data$y <- if (response == "bought") as.numeric(people$bought == "yes") else people[[response]]
  data$member <- as.numeric(data$member)
  suppressWarnings(gbm(y ~ ., distribution, data, n.trees = 20, interaction.depth = 3,
                       n.cores = 1, ...))
}
numeric <- transform(factors, member = as.numeric(member))
put("gbm_gaussian", boosted("paid", "gaussian"), numeric)
put("gbm_laplace", boosted("paid", "laplace"), numeric)
put("gbm_bernoulli", boosted("bought", "bernoulli"), numeric)
put("gbm_adaboost", boosted("bought", "adaboost"), numeric)
put("gbm_poisson", boosted("visits", "poisson"), numeric)
put("gbm_multinomial", boosted("colour", "multinomial"), numeric)
put("gbm_fewer", boosted("paid", "gaussian"), numeric, n.trees = 7)

put("bayes", naiveBayes(Species ~ ., iris), iris[-5])
mixed <- factors[c("age", "income.k", "city", "sex", "member")]
put("bayes_texts", naiveBayes(mixed, people$colour), factors)

put("kmeans", kmeans(iris[1:4], 3), iris[1:4])

matrix <- as.matrix(iris[2:4])
put("glmnet", glmnet(matrix, iris$Sepal.Length), iris[2:4], s = 0.01)
put("glmnet_cv", cv.glmnet(matrix, iris$Sepal.Length, nfolds = 3), iris[2:4])
put("glmnet_two", glmnet(matrix, iris$Species == "setosa", binomial()$family), iris[2:4], s = 0.013)
# R computes no softmax of large numbers
put("glmnet_labels", glmnet(matrix, iris$Species, "multinomial"), iris[2:4], s = 0.01,
    extremes = FALSE)
plain <- x[c("age", "income.k")]
put("glmnet_counts", glmnet(as.matrix(plain), people$visits, "poisson"), plain, s = 0.01,
    extremes = FALSE)

# What cannot be exported: the messages, one in a line.
refused <- function(...) cat(tryCatch(write_pfa(...), error = conditionMessage), "\n", sep = "")
target <- file.path(folder, "none")
line <- lm(mpg ~ wt, cars)
dir.create(file.path(folder, "unnamed"))
write_pfa(line, cars, file.path(folder, "unnamed", "no name.pfa"))
refused(loess(mpg ~ wt, cars), cars, target, "m")
refused(line, cars, target, "no name")
refused(line, cars["hp"], target, "m")
refused(line, transform(cars, wt = c(NA, wt[-1])), target, "m")
refused(lm(mpg ~ wt + offset(hp), cars), cars, target, "m")
refused(lm(mpg ~ poly(wt, 2), cars), cars, target, "m")
refused(glm(by.hand ~ wt, binomial("cauchit"), cars), cars, target, "m")
refused(rpart(of("paid"), people, cp = 0.001, minsplit = 4), x, target, "m")

if (requireNamespace("xgboost", quietly = TRUE)) {
  source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))),
                   "xgboost.R"))
} else cat("no xgboost\n")
